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

    /// <summary>Draws the plot.</summary>
    /// <returns>A PNG file's bytes.</returns>
    public byte[] ToPng()
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
        var y = PlotAxis.Around(Series.SelectMany(static series => series.Y), LogY);
        using var frame = new PlotFrame(Width, Height, x, y, XLabel);
        frame.DrawTitle(Title);
        var legend = new List<(string, SKColor)>();
        for (var i = 0; i < Series.Count; i++)
        {
            var left = DrawSeries(frame, Series[i], PlotColors.Series(i));
            legend.Add((
                left == 0 ? Series[i].Label : string.Create(CultureInfo.InvariantCulture, $"{Series[i].Label} ({left} not drawn)"),
                PlotColors.Series(i)));
        }

        frame.DrawLegend(legend);
        return frame.ToPng();
    }

    private int DrawSeries(PlotFrame frame, LineSeries series, SKColor color)
    {
        using var line = new SKPaint { Color = color, IsAntialias = true, IsStroke = true, StrokeWidth = 2 };
        using var marker = new SKPaint { Color = color, IsAntialias = true };
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
        frame.Canvas.DrawPath(outline, line);
        foreach (var point in points.Count <= MostMarkers ? points : [])
        {
            frame.Canvas.DrawCircle(point, 3, marker);
        }

        return series.X.Count - points.Count;
    }
}
