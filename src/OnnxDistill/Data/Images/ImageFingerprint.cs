using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace OnnxDistill.Data.Images;

/// <summary>Tells sets of images apart, wherever they lie: SHA-256 over count, shape, every class, and up to 256 images spread over the set.</summary>
internal static class ImageFingerprint
{
    private const int MostImages = 256;

    public static string Of(IImageSource source)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(int number)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
            hash.AppendData(bytes);
        }
        Add(source.Count);
        foreach (var dim in source.Dims)
            Add(dim);
        for (var i = 0; i < source.Count; i++)
            Add(source.Label(i));
        var pixels = new float[source.Dims.Aggregate(1, static (n, d) => n * d)];
        var read = Math.Min(MostImages, source.Count);
        for (var i = 0; i < read; i++)
        {
            source.Read((int)((long)source.Count * i / read), pixels);
            hash.AppendData(MemoryMarshal.AsBytes<float>(pixels));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
