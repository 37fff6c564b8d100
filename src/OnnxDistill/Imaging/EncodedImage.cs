using System.Runtime.InteropServices;
using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>A decoded PNG, JPEG, WebP, BMP or GIF (its first frame) as it is meant to be seen: turned as its EXIF entry says. Colours are taken as they are stored,
/// colour profiles aside, as other tools for training data do.</summary>
internal sealed class EncodedImage
{
    // A header costs nothing to write; 64 million pixels are 256 MB.
    private const long MostPixels = 1L << 26;

    private readonly byte[] _pixels;
    private readonly int _origin, _stepX, _stepY;

    private EncodedImage(byte[] pixels, int width, int height, SKEncodedOrigin origin, bool isGrey)
    {
        (_pixels, IsGrey) = (pixels, isGrey);
        var (right, down, endX, endY) = (4, 4 * width, 4 * (width - 1), 4 * width * (height - 1));
        // Where the seen picture's first pixel is stored, and how far apart its columns and rows are.
        (_origin, _stepX, _stepY) = origin switch
        {
            SKEncodedOrigin.TopRight => (endX, -right, down),
            SKEncodedOrigin.BottomRight => (endX + endY, -right, -down),
            SKEncodedOrigin.BottomLeft => (endY, right, -down),
            SKEncodedOrigin.LeftTop => (0, down, right),
            SKEncodedOrigin.RightTop => (endY, -down, right),
            SKEncodedOrigin.RightBottom => (endX + endY, -down, -right),
            SKEncodedOrigin.LeftBottom => (endX, down, -right),
            _ => (0, right, down),
        };
        (Width, Height) = Math.Abs(_stepX) == right ? (width, height) : (height, width);
    }

    /// <summary>Columns as seen.</summary>
    public int Width { get; }

    /// <summary>Rows as seen.</summary>
    public int Height { get; }

    /// <summary>Whether the file is stored in grey.</summary>
    public bool IsGrey { get; }

    /// <summary>Decodes a file.</summary>
    /// <exception cref="InvalidDataException">It is damaged, of another format, or its header claims too many pixels; the message says which.</exception>
    public static EncodedImage Decode(byte[] bytes)
    {
        if (bytes.Length == 0)
            throw new InvalidDataException("empty");
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data) ?? throw new InvalidDataException("no image that can be decoded");
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width < 1 || height < 1 || (long)width * height > MostPixels)
            throw new InvalidDataException($"{width} x {height} pixels, expected at most {MostPixels:N0}");
        var pixels = new byte[4 * width * height];
        var pinned = GCHandle.Alloc(pixels, GCHandleType.Pinned);
        try
        {
            var result = codec.GetPixels(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul), pinned.AddrOfPinnedObject());
            if (result != SKCodecResult.Success)
                throw new InvalidDataException(result == SKCodecResult.IncompleteInput ? "cut off" : $"damaged ({result})");
        }
        finally
        {
            pinned.Free();
        }
        return new EncodedImage(pixels, width, height, codec.EncodedOrigin, codec.Info.ColorType == SKColorType.Gray8);
    }

    /// <summary>Writes part of a row of one channel, 0 to 255.</summary>
    /// <param name="channel">0, 1, 2 for red, green, blue; -1 for their luma (ITU-R BT.601: 0.299, 0.587, 0.114).</param>
    /// <param name="x">First column.</param>
    /// <param name="y">The row.</param>
    /// <param name="background">What shows through transparent pixels, 0 to 255.</param>
    /// <param name="row">The values.</param>
    public void Row(int channel, int x, int y, float background, Span<float> row)
    {
        var at = _origin + (x * _stepX) + (y * _stepY);
        for (var i = 0; i < row.Length; i++, at += _stepX)
        {
            var colour = channel >= 0 ? _pixels[at + channel] : (0.299f * _pixels[at]) + (0.587f * _pixels[at + 1]) + (0.114f * _pixels[at + 2]);
            var alpha = _pixels[at + 3] / 255f;
            row[i] = (alpha * colour) + ((1 - alpha) * background);
        }
    }
}
