using System.Runtime.InteropServices;
using OnnxDistill.Data;
using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>Images side by side in one picture, row by row. Values of -1..1 become 0..255 by nearest rounding, values beyond are clipped;
/// a pixel with a value that is not finite is magenta, so that a diverged run shows.</summary>
/// <param name="Images">Samples of shape [1, height, width] (grey) or [3, height, width] (red, green, blue).</param>
public sealed record ImageGrid(SampleSet Images)
{
    /// <summary>How many images stand side by side; null for about as many as there are rows.</summary>
    public int? Columns { get; init; }

    /// <summary>How many rows at most; null for all images.</summary>
    public int? Rows { get; init; }

    /// <summary>How many pixels wide and high each pixel of an image is drawn.</summary>
    public int Scale { get; init; } = 1;

    /// <summary>White pixels between images and around them.</summary>
    public int Padding { get; init; } = 2;

    /// <summary>Draws the grid.</summary>
    /// <returns>A PNG file's bytes.</returns>
    public byte[] ToPng()
    {
        if (Images.Dims is not [1 or 3, _, _])
        {
            throw new ArgumentException(
                $"Images have the shape [1 or 3, height, width]; found samples of shape [{string.Join(", ", Images.Dims.ToArray())}].");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(Images.Count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Scale, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Padding);
        var columns = Columns ?? (int)Math.Ceiling(Math.Sqrt(Images.Count));
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1, nameof(Columns));
        ArgumentOutOfRangeException.ThrowIfLessThan(Rows ?? 1, 1, nameof(Rows));
        var rows = Math.Min(Rows ?? int.MaxValue, (Images.Count + columns - 1) / columns);
        var (cellHeight, cellWidth) = (Images.Dims[1] * Scale + Padding, Images.Dims[2] * Scale + Padding);
        using var bitmap = new SKBitmap(
            checked(columns * cellWidth + Padding), checked(rows * cellHeight + Padding), SKColorType.Rgba8888, SKAlphaType.Opaque);
        var pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        pixels.Fill(uint.MaxValue);
        for (var i = 0; i < Math.Min(Images.Count, rows * columns); i++)
        {
            DrawImage(i, pixels, bitmap.Width, i % columns * cellWidth + Padding, i / columns * cellHeight + Padding);
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private void DrawImage(int index, Span<uint> pixels, int stride, int left, int top)
    {
        var image = Images[index];
        var (height, width) = (Images.Dims[1], Images.Dims[2]);
        for (var y = 0; y < height * Scale; y++)
        {
            var row = pixels.Slice((top + y) * stride + left, width * Scale);
            for (var x = 0; x < row.Length; x++)
            {
                row[x] = Pixel(image, height * width, y / Scale * width + x / Scale);
            }
        }
    }

    private static uint Pixel(ReadOnlySpan<float> image, int plane, int offset)
    {
        var red = image[offset];
        var (green, blue) = image.Length == plane ? (red, red) : (image[plane + offset], image[2 * plane + offset]);
        return float.IsFinite(red) && float.IsFinite(green) && float.IsFinite(blue)
            ? Pack(ToByte(red), ToByte(green), ToByte(blue))
            : Pack(255, 0, 255);
    }

    private static byte ToByte(float value) => (byte)Math.Round(Math.Clamp(value * 127.5f + 127.5f, 0, 255));

    // Rgba8888 is red first in memory whatever the machine's byte order.
    private static uint Pack(byte red, byte green, byte blue) => MemoryMarshal.Read<uint>([red, green, blue, 255]);
}
