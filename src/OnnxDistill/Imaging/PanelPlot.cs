using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>Several plots of the same series as one picture: panels in rows, one legend under them all.</summary>
/// <param name="Title">The line on top.</param>
/// <param name="Panels">The plots, row by row; their series are told apart by <see cref="LineSeries.Look"/>, and their own sizes and legends do not count.</param>
/// <param name="Columns">Panels in a row.</param>
public sealed record PanelPlot(string Title, IReadOnlyList<LinePlot> Panels, int Columns)
{
    private const float TitleHeight = 44;
    private const float RowHeight = 24;
    private const float Margin = 24;
    private const float PenLength = 34;

    private static readonly TextStyle TitleStyle = new(14, PlotColors.Text, 1.3f);
    private static readonly TextStyle LabelStyle = new(10, PlotColors.Text);

    /// <summary>Width of a panel in pixels.</summary>
    public int PanelWidth { get; init; } = 640;

    /// <summary>Height of a panel in pixels.</summary>
    public int PanelHeight { get; init; } = 400;

    /// <summary>Draws the plot.</summary>
    /// <returns>A PNG file's bytes.</returns>
    public byte[] ToPng()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Columns, 1);
        if (Panels.Count == 0)
        {
            throw new ArgumentException($"'{Title}' has no panels; it needs at least one.");
        }

        var width = Columns * PanelWidth;
        var legend = Legend(width - (2 * Margin));
        var rows = (Panels.Count + Columns - 1) / Columns;
        var height = TitleHeight + (rows * PanelHeight) + ((legend.Max(static e => e.Row) + 1) * RowHeight) + Margin;
        using var surface = SKSurface.Create(new SKImageInfo(width, (int)height, SKColorType.Rgba8888, SKAlphaType.Premul));
        surface.Canvas.Clear(PlotColors.Background);
        StrokeFont.Draw(surface.Canvas, Title, Margin, 32, TitleStyle);
        foreach (var (i, panel) in Panels.Index())
        {
            using var frame = (panel with { Width = PanelWidth, Height = PanelHeight, HasLegend = false }).Draw();
            using var picture = frame.Picture();
            surface.Canvas.DrawImage(picture, i % Columns * PanelWidth, TitleHeight + (i / Columns * PanelHeight), SKSamplingOptions.Default);
        }

        foreach (var (label, look, x, row) in legend)
        {
            using var pen = PlotColors.Line(look);
            var y = TitleHeight + (rows * PanelHeight) + (row * RowHeight) + 14;
            surface.Canvas.DrawLine(Margin + x, y, Margin + x + PenLength, y, pen);
            StrokeFont.Draw(surface.Canvas, label, Margin + x + PenLength + 8, y + (LabelStyle.Size / 2), LabelStyle);
        }

        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    // Every kind of line once, from left to right and then in the next row.
    private List<(string Label, int Look, float X, int Row)> Legend(float width)
    {
        var kinds = Panels.SelectMany(static p => p.Series.Select(static (s, i) => (s.Label, Look: s.Look ?? i))).DistinctBy(static k => k.Look).OrderBy(static k => k.Look);
        var entries = new List<(string, int, float, int)>();
        var (x, row) = (0f, 0);
        foreach (var (label, look) in kinds)
        {
            var length = PenLength + 8 + StrokeFont.Measure(label, LabelStyle.Size);
            if (x > 0 && x + length > width)
            {
                (x, row) = (0, row + 1);
            }

            entries.Add((label, look, x, row));
            x += length + 28;
        }

        return entries;
    }
}
