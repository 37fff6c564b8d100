using SkiaSharp;

namespace OnnxDistill.Server;

/// <summary>Pixels to a PNG file.</summary>
internal static class Png
{
    // Small pictures: a quick and plain compression is as good.
    private static readonly SKPngEncoderOptions Options = new(SKPngEncoderFilterFlags.Sub, 3);

    /// <summary>Channels that can be written.</summary>
    public static bool CanEncode(int channels) => channels is 1 or 3 or 4;

    /// <summary>The file of one image.</summary>
    /// <param name="pixels">Rows from the top, channels side by side.</param>
    /// <param name="form">Its size.</param>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, ImageForm form)
    {
        var info = new SKImageInfo(form.Width, form.Height, form.Channels == 1 ? SKColorType.Gray8 : SKColorType.Rgba8888, form.Channels == 4 ? SKAlphaType.Unpremul : SKAlphaType.Opaque);
        using var bitmap = new SKBitmap(info, form.Width * info.BytesPerPixel);
        var target = bitmap.GetPixelSpan();
        if (form.Channels == 3)
            AddAlpha(pixels, target);
        else
            pixels.CopyTo(target);
        using var pixmap = bitmap.PeekPixels();
        using var file = pixmap.Encode(Options) ?? throw new InvalidOperationException($"SkiaSharp does not encode {info.Width}x{info.Height} pixels of {info.ColorType}.");
        return file.ToArray();
    }

    private static void AddAlpha(ReadOnlySpan<byte> rgb, Span<byte> rgba)
    {
        for (var i = 0; i < rgb.Length / 3; i++)
        {
            rgb.Slice(i * 3, 3).CopyTo(rgba[(i * 4)..]);
            rgba[(i * 4) + 3] = 255;
        }
    }
}
