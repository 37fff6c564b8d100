namespace OnnxDistill.Runtime.Generation;

/// <summary>Numbers of -1..1 in planes, and pixels of 8 bits with their channels side by side.</summary>
internal static class Pixels
{
    /// <summary>Planes to pixels, nearest rounding; what lies beyond -1..1 is clipped, not-a-number becomes 0.</summary>
    public static void FromPlanes(ReadOnlySpan<float> planes, Span<byte> pixels, int channels)
    {
        var plane = planes.Length / channels;
        for (var c = 0; c < channels; c++)
        {
            var from = planes.Slice(c * plane, plane);
            for (var i = 0; i < from.Length; i++)
                pixels[(i * channels) + c] = ToByte(from[i]);
        }
    }

    /// <summary>Pixels to planes.</summary>
    public static void ToPlanes(ReadOnlySpan<byte> pixels, Span<float> planes, int channels)
    {
        var plane = planes.Length / channels;
        for (var i = 0; i < pixels.Length; i++)
            planes[((i % channels) * plane) + (i / channels)] = (pixels[i] / 127.5f) - 1;
    }

    private static byte ToByte(float value) => (byte)MathF.Round(Math.Clamp((value * 127.5f) + 127.5f, 0, 255));
}
