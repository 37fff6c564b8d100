namespace OnnxDistill.Runtime.Generation;

/// <summary>Images of 8 bits a channel, one after the other: rows from the top, pixels from the left, the channels of a pixel side by side.</summary>
/// <param name="Count">Number of images.</param>
/// <param name="Width">Pixels of a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Channels">Bytes of a pixel: 1 for grey; 3 for red, green, blue.</param>
/// <param name="Pixels">All bytes; the caller's own.</param>
public readonly record struct GeneratedImages(int Count, int Width, int Height, int Channels, byte[] Pixels)
{
    /// <summary>The pixels of one image.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            var bytes = Width * Height * Channels;
            return Pixels.AsSpan(index * bytes, bytes);
        }
    }
}
