using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>The colours of all plots; the series' hues stay apart for colour-blind eyes.</summary>
internal static class PlotColors
{
    public static readonly SKColor Background = SKColors.White;
    public static readonly SKColor Grid = new(0xea, 0xec, 0xef);
    public static readonly SKColor Axis = new(0x9a, 0xa0, 0xa6);
    public static readonly SKColor Text = new(0x3c, 0x40, 0x43);

    /// <summary>The backdrop that a student's points are judged against: the first series' hue, lighter.</summary>
    public static readonly SKColor Target = new(0x7f, 0xb3, 0xdd);

    /// <summary>The student's points.</summary>
    public static readonly SKColor Student = new(0xd9, 0x5f, 0x0e);

    private static readonly SKColor[] SeriesColors =
    [
        new(0x1f, 0x77, 0xb4), new(0xe6, 0x6f, 0x1e), new(0x2a, 0x93, 0x7a),
        new(0xb5, 0x4a, 0x8c), new(0x8c, 0x74, 0x2b), new(0x55, 0x5b, 0x6e),
    ];

    // On and off in pixels; the first is a whole line.
    private static readonly float[][] Dashes = [[], [9, 5], [3, 4], [12, 4, 3, 4]];

    /// <summary>The colour of a series by its place; they repeat after six.</summary>
    public static SKColor Series(int index) => SeriesColors[index % SeriesColors.Length];

    /// <summary>The pen of a series by its place: what has a colour again has other dashes.</summary>
    public static SKPaint Line(int index)
    {
        var dashes = Dashes[index / SeriesColors.Length % Dashes.Length];
        return new SKPaint { Color = Series(index), IsAntialias = true, IsStroke = true, StrokeWidth = 2, PathEffect = dashes.Length == 0 ? null : SKPathEffect.CreateDash(dashes, 0) };
    }
}
