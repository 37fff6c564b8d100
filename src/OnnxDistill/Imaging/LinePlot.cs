using System.Globalization;
using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>Metrics or losses against the images seen. A value that is not finite (or not positive on a logarithmic axis) breaks the line
/// and is counted in the legend.</summary>
/// <param name="Title">The line on top.</param>
/// <param name="Series">The lines.</param>
public sealed record LinePlot(string Title, IReadOnlyList<LineSeries> Series)
{
    // More points than this stand closer than a marker is wide.
    private const int MostMarkers = 60;

    /// <summary>What stands under the horizontal axis.</summary>
    public string XLabel { get; init; } = "images seen";

    /// <summary>Whether the horizontal axis is logarithmic.</summary>
    public bool LogX { get; init; }

    /// <summary>Whether the vertical axis is logarithmic.</summary>
    public bool LogY { get; init; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; init; } = 800;

    /// <summary>Height in pixels.</summary>
    public int Height { get; init; } = 450;

    /// <summary>Ends of the vertical axis, in place of those that hold all values; null for none. What lies beyond is cut off.</summary>
    public double? MinY { get; init; }

    /// <inheritdoc cref="MinY"/>
    public double? MaxY { get; init; }

    /// <summary>Whether the series are named under the title.</summary>
    public bool HasLegend { get; init; } = true;

    /// <summary>Draws the plot.</summary>
    /// <returns>A PNG file's bytes.</returns>
    public byte[] ToPng()
    {
        using var frame = Draw();
        return frame.ToPng();
    }

    internal PlotFrame Draw()
    {
        foreach (var series in Series)
        {
            if (series.X.Count != series.Y.Count)
            {
                throw new ArgumentException(
                    $"'{series.Label}' has {series.X.Count} places and {series.Y.Count} values; it needs as many of both.");
            }
        }

        var x = PlotAxis.Around(Series.SelectMany(static series => series.X), LogX);
        var y = PlotAxis.Around(Series.SelectMany(static series => series.Y).Where(v => !(v < MinY || v > MaxY)), LogY);
        y = y with { Min = MinY ?? y.Min, Max = MaxY ?? y.Max };
        if (!(y.Max > y.Min))
        {
            throw new ArgumentException($"The vertical axis of '{Title}' ends at {y.Max} and begins at {y.Min}; it has to end above its beginning.");
        }

        var frame = new PlotFrame(Width, Height, x, y, XLabel);
        frame.DrawTitle(Title);
        var legend = new List<(string, SKColor)>();
        for (var i = 0; i < Series.Count; i++)
        {
            var look = Series[i].Look ?? i;
            var left = DrawSeries(frame, Series[i], look);
            legend.Add((
                left == 0 ? Series[i].Label : string.Create(CultureInfo.InvariantCulture, $"{Series[i].Label} ({left} not drawn)"),
                PlotColors.Series(look)));
        }

        if (HasLegend)
        {
            frame.DrawLegend(legend);
        }

        return frame;
    }

    private int DrawSeries(PlotFrame frame, LineSeries series, int look)
    {
        using var line = PlotColors.Line(look);
        using var marker = new SKPaint { Color = PlotColors.Series(look), IsAntialias = true };
        using var path = new SKPathBuilder();
        var points = new List<SKPoint>();
        var wasDrawn = false;
        for (var i = 0; i < series.X.Count; i++)
        {
            var isDrawn = PlotAxis.CanShow(series.X[i], LogX) && PlotAxis.CanShow(series.Y[i], LogY);
            if (isDrawn)
            {
                var point = frame.Map(series.X[i], series.Y[i]);
                points.Add(point);
                if (wasDrawn)
                {
                    path.LineTo(point);
                }
                else
                {
                    path.MoveTo(point);
                }
            }

            wasDrawn = isDrawn;
        }

        using var outline = path.Detach();
        frame.Canvas.Save();
        frame.Canvas.ClipRect(SKRect.Inflate(frame.Area, 3, 3)); // a marker on the edge stays whole
        frame.Canvas.DrawPath(outline, line);
        foreach (var point in points.Count <= MostMarkers ? points : [])
        {
            frame.Canvas.DrawCircle(point, 3, marker);
        }

        frame.Canvas.Restore();

        return series.X.Count - points.Count;
    }
}
