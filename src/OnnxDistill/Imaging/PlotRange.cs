namespace OnnxDistill.Imaging;

/// <summary>The part of the plane that a plot shows.</summary>
/// <param name="MinX">The left edge.</param>
/// <param name="MaxX">The right edge.</param>
/// <param name="MinY">The lower edge.</param>
/// <param name="MaxY">The upper edge.</param>
public readonly record struct PlotRange(double MinX, double MaxX, double MinY, double MaxY);
