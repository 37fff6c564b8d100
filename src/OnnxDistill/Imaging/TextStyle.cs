using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>How text is drawn.</summary>
/// <param name="Size">The height of a capital letter in pixels.</param>
/// <param name="Color">The colour.</param>
/// <param name="PenWidth">The width of the pen in sevenths of <paramref name="Size"/>: 1 is regular, 1.4 bold.</param>
internal readonly record struct TextStyle(float Size, SKColor Color, float PenWidth = 1);
