namespace OnnxDistill.Imaging;

/// <summary>One line of a <see cref="LinePlot"/>.</summary>
/// <param name="Label">What the legend calls it.</param>
/// <param name="X">Where the points stand, such as the images seen.</param>
/// <param name="Y">The values, as many as <paramref name="X"/>.</param>
public sealed record LineSeries(string Label, IReadOnlyList<double> X, IReadOnlyList<double> Y)
{
    /// <summary>Number of its colour and dashes; null for its place in the plot. Lines of one kind in several panels share it.</summary>
    public int? Look { get; init; }
}
