using OnnxDistill.Imaging;

namespace OnnxDistill.Data.Images;

/// <summary>Brings images to one shape: the square in the middle, averaged by area to the side that is asked for; grey or colours.</summary>
/// <param name="Channels">1 or 3.</param>
/// <param name="Height">Rows of the result.</param>
/// <param name="Width">Columns of the result.</param>
/// <param name="Crops">Whether images are cropped and resized; otherwise they have that size.</param>
/// <param name="Background">What shows through transparent pixels, 0 to 255.</param>
internal sealed record ImageGeometry(int Channels, int Height, int Width, bool Crops, byte Background)
{
    /// <summary>Bytes of a result.</summary>
    public int Size => Channels * Height * Width;

    /// <summary>The geometry of a set whose first image is this one.</summary>
    public static ImageGeometry Of(EncodedImage first, DataOptions options) => new(options.Channels > 0 ? options.Channels : first.IsGrey ? 1 : 3,
        options.Size > 0 ? options.Size : first.Height, options.Size > 0 ? options.Size : first.Width, options.Size > 0, (byte)(options.Background == "black" ? 0 : 255));

    /// <summary>What keeps an image from the result, for a message; null when nothing does.</summary>
    public string? Misfit(EncodedImage image, bool mayGrey) =>
        !Crops && (image.Height, image.Width) != (Height, Width) ? $"{image.Height} x {image.Width} instead of {Height} x {Width}"
        : Channels == 1 && !image.IsGrey && !mayGrey ? "in colours instead of grey" : null;

    /// <summary>The image's bytes [C, H, W].</summary>
    public byte[] Apply(EncodedImage image)
    {
        var (height, width) = Crops ? (Math.Min(image.Height, image.Width), Math.Min(image.Height, image.Width)) : (Height, Width);
        var (top, left) = ((image.Height - height) / 2, (image.Width - width) / 2);
        var (bytes, plane) = (new byte[Size], new float[Height * Width]);
        for (var c = 0; c < Channels; c++)
        {
            var channel = Channels == 1 ? -1 : c;
            AreaFilter.Resize(height, width, (y, row) => image.Row(channel, left, top + y, Background, row), Height, Width, plane);
            for (var i = 0; i < plane.Length; i++)
                bytes[(c * plane.Length) + i] = (byte)(plane[i] + 0.5f);
        }
        return bytes;
    }
}
