using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>The canvas of a plot: title, legend, grid, axes with ticks, and the way from values to pixels. Owns its surface; dispose of
/// it.</summary>
internal sealed class PlotFrame : IDisposable
{
    private const float Top = 62;
    private const float Right = 20;
    private const float LegendY = 47;
    private const float AxisLabelHeight = 18;

    private static readonly TextStyle TitleStyle = new(12, PlotColors.Text, 1.3f);
    private static readonly TextStyle LabelStyle = new(8.5f, PlotColors.Text, 0.95f);

    private readonly SKSurface _surface;
    private readonly PlotAxis _x;
    private readonly PlotAxis _y;

    public PlotFrame(int width, int height, PlotAxis x, PlotAxis y, string? xLabel = null)
    {
        (_x, _y) = (x, y);
        _surface = SKSurface.Create(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul))
            ?? throw new ArgumentException($"A picture of {width} x {height} pixels cannot be made.");
        var left = 18 + y.Ticks().Max(tick => StrokeFont.Measure(PlotAxis.Label(tick), LabelStyle.Size));
        Area = new SKRect(left, Top, width - Right, height - 30 - (xLabel is null ? 0 : AxisLabelHeight));
        Canvas.Clear(PlotColors.Background);
        DrawAxes();
        if (xLabel is not null)
        {
            StrokeFont.Draw(Canvas, xLabel, Area.MidX, height - 11, LabelStyle, 0.5f);
        }
    }

    /// <summary>Where to draw.</summary>
    public SKCanvas Canvas => _surface.Canvas;

    /// <summary>The rectangle between the axes, in pixels.</summary>
    public SKRect Area { get; }

    /// <summary>The pixel of a value.</summary>
    public SKPoint Map(double x, double y) => new(
        Area.Left + (float)_x.Position(x) * Area.Width,
        Area.Bottom - (float)_y.Position(y) * Area.Height);

    /// <summary>The line on top.</summary>
    public void DrawTitle(string title) => StrokeFont.Draw(Canvas, title, Area.Left, 28, TitleStyle);

    /// <summary>A dot and a word for each series, in one line under the title.</summary>
    public void DrawLegend(IEnumerable<(string Label, SKColor Color)> entries)
    {
        var x = Area.Left;
        foreach (var (label, color) in entries)
        {
            using var dot = new SKPaint { Color = color, IsAntialias = true };
            Canvas.DrawCircle(x + 4, LegendY - LabelStyle.Size / 2, 4, dot);
            StrokeFont.Draw(Canvas, label, x + 14, LegendY, LabelStyle);
            x += 14 + StrokeFont.Measure(label, LabelStyle.Size) + 20;
        }
    }

    /// <summary>The picture so far.</summary>
    public SKImage Picture() => _surface.Snapshot();

    /// <summary>The picture as PNG.</summary>
    public byte[] ToPng()
    {
        using var image = Picture();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => _surface.Dispose();

    private void DrawAxes()
    {
        using var grid = new SKPaint { Color = PlotColors.Grid, StrokeWidth = 1 };
        using var axis = new SKPaint { Color = PlotColors.Axis, StrokeWidth = 1, IsStroke = true };
        foreach (var tick in _x.Ticks())
        {
            // Half a pixel off, a line one pixel wide covers one pixel and stays crisp.
            var x = MathF.Floor(Map(tick, _y.Min).X) + 0.5f;
            Canvas.DrawLine(x, Area.Top, x, Area.Bottom, grid);
            Canvas.DrawLine(x, Area.Bottom, x, Area.Bottom + 4, axis);
            StrokeFont.Draw(Canvas, PlotAxis.Label(tick), x, Area.Bottom + 18, LabelStyle, 0.5f);
        }

        foreach (var tick in _y.Ticks())
        {
            var y = MathF.Floor(Map(_x.Min, tick).Y) + 0.5f;
            Canvas.DrawLine(Area.Left, y, Area.Right, y, grid);
            Canvas.DrawLine(Area.Left - 4, y, Area.Left, y, axis);
            StrokeFont.Draw(Canvas, PlotAxis.Label(tick), Area.Left - 9, y + LabelStyle.Size / 2, LabelStyle, 1);
        }

        Canvas.DrawRect(SKRect.Create(MathF.Floor(Area.Left) + 0.5f, Top + 0.5f, MathF.Floor(Area.Width), MathF.Floor(Area.Height)), axis);
    }
}
