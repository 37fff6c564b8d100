using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>A small vector font, drawn with a round pen. SkiaSharp's Linux build without dependencies finds no system fonts (its default
/// typeface has no glyphs), and with a font of our own a plot looks the same on every machine.</summary>
/// <remarks>
/// A glyph is a list of strokes on a grid: a digit for x, a digit for y, upwards; descenders reach 0, the baseline is 2, small letters
/// end at 7, capitals at 9. A stroke that starts with ~ is smooth: a quadratic B-spline that starts and ends in its first and last
/// points. A stroke of one point twice is a dot.
/// </remarks>
internal static class StrokeFont
{
    private const int Baseline = 2;
    private const int CapHeight = 7;
    private const float LetterSpacing = 2.2f;
    private const float SpaceWidth = 1.4f;
    private const string MissingGlyph = "0209494202";

    // A glyph's character, a space, its strokes.
    private static readonly string[] Table =
    [
        "0 ~290902424929", "1 072922 0242", "2 ~0709494602 0242", "3 ~0809494616 ~1646420203", "4 32390444", "5 490906 ~0646420203",
        "6 ~4849090242460604", "7 094912", "8 ~260609494626 ~260602424626", "9 ~0302424909054547",

        "A 022942 1535", "B 29090222 0626 ~29494626 ~26464222", "C ~484909024243", "D 22020929 ~29494222", "E 49090242 0636",
        "F 490902 0636", "G ~484909024245 4525", "H 0902 4942 0646", "I 0902", "J 3934 ~34320204", "K 0902 4905 1642", "L 090242",
        "M 0209254942", "N 02094249", "O ~290902424929", "P 020929 2505 ~29494525", "Q ~290902424929 2441",
        "R 020929 2505 ~29494525 2542", "S ~4849090645420203", "T 0949 2922", "U 0904 4944 ~04024244", "V 092249", "W 0912375269",
        "X 0942 4902", "Y 092549 2522", "Z 09490242",

        "a ~270702424727 4742", "b 0902 ~270702424727", "c ~464707024243", "d 4942 ~270702424727", "e 0545 ~454707024243",
        "f ~391917 1712 0737", "g ~270702424727 4742 ~42400001", "h 0902 ~05074745 4542", "i 0702 0909", "j 2722 ~222000 2929",
        "k 0902 3704 1532", "l 0903 ~030212", "m 0702 ~05073735 3532 ~35376765 6562", "n 0702 ~05074745 4542", "o ~270702424727",
        "p 0700 ~270702424727", "q 4740 ~270702424727", "r 0702 ~050737", "s ~4647070544420203", "t 1913 ~131232 0737",
        "u 0704 4742 ~04024244", "v 072247", "w 0712365267", "x 0742 4702", "y 0722 4710", "z 07470242",

        ". 0202", ", 1200", ": 0202 0606", "; 1200 1616", "- 0535", "+ 0545 2723", "= 0646 0444", "/ 0139", "( ~29070320",
        ") ~09272300", "[ 29090020", "] 09292000", "_ 0141", "% 0269 ~190907272919 ~544442626454", "* 2925 0846 0648", "< 480542",
        "> 084502", "| 0900", "! 0904 0202", "? ~0809494625 2524 2222", "' 0907", "\" 0907 2927", "# 1219 3239 0747 0444", "^ 072947",
    ];

    private static readonly Dictionary<char, string> Glyphs = Table.ToDictionary(static entry => entry[0], static entry => entry[2..]);

    /// <summary>Whether the character has a glyph of its own; others are drawn as a box.</summary>
    public static bool Has(char character) => character == ' ' || Glyphs.ContainsKey(character);

    /// <summary>How wide the text is, in pixels.</summary>
    /// <param name="text">The text; an unknown character is a box.</param>
    /// <param name="size">The height of a capital letter in pixels.</param>
    public static float Measure(string text, float size) => text.Length == 0 ? 0 : (text.Sum(Advance) - LetterSpacing) * size / CapHeight;

    /// <summary>Draws text with its baseline at <paramref name="y"/>.</summary>
    /// <param name="canvas">Where to draw.</param>
    /// <param name="text">The text.</param>
    /// <param name="x">The pixel that <paramref name="anchor"/> stands at.</param>
    /// <param name="y">The baseline.</param>
    /// <param name="style">Size, colour and weight.</param>
    /// <param name="anchor">Which part of the text stands at x: 0 its left end, 0.5 its middle, 1 its right end.</param>
    public static void Draw(SKCanvas canvas, string text, float x, float y, TextStyle style, float anchor = 0)
    {
        var unit = style.Size / CapHeight;
        using var pen = new SKPaint
        {
            Color = style.Color,
            IsAntialias = true,
            IsStroke = true,
            StrokeWidth = style.PenWidth * unit,
            StrokeCap = SKStrokeCap.Round,
            StrokeJoin = SKStrokeJoin.Round,
        };
        using var path = new SKPathBuilder();
        var left = x - anchor * Measure(text, style.Size);
        foreach (var character in text)
        {
            foreach (var stroke in Strokes(character))
            {
                AddStroke(path, stroke, new SKPoint(left, y), unit);
            }

            left += Advance(character) * unit;
        }

        using var outline = path.Detach();
        canvas.DrawPath(outline, pen);
    }

    private static string[] Strokes(char character) =>
        character == ' ' ? [] : Glyphs.GetValueOrDefault(character, MissingGlyph).Split(' ');

    private static float Advance(char character) => LetterSpacing + (character == ' ' ? SpaceWidth : Strokes(character).Max(Width));

    private static int Width(string stroke)
    {
        var width = 0;
        for (var i = stroke[0] == '~' ? 1 : 0; i < stroke.Length; i += 2)
        {
            width = Math.Max(width, stroke[i] - '0');
        }

        return width;
    }

    private static void AddStroke(SKPathBuilder path, string stroke, SKPoint origin, float unit)
    {
        var smooth = stroke[0] == '~';
        var points = stroke[(smooth ? 1 : 0)..]
            .Chunk(2)
            .Select(pair => new SKPoint(origin.X + (pair[0] - '0') * unit, origin.Y - (pair[1] - '0' - Baseline) * unit))
            .ToArray();
        path.MoveTo(points[0]);
        for (var i = 1; i < points.Length; i++)
        {
            if (!smooth)
            {
                path.LineTo(points[i]);
            }
            else if (i < points.Length - 1)
            {
                var end = i == points.Length - 2 ? points[i + 1] : Middle(points[i], points[i + 1]);
                path.QuadTo(points[i], end);
            }
        }
    }

    private static SKPoint Middle(SKPoint a, SKPoint b) => new((a.X + b.X) / 2, (a.Y + b.Y) / 2);
}
