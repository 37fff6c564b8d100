using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace OnnxDistill.Data.Images;

/// <summary>The first bytes of a file, behind gzip if there is any: they tell its kind, its name does not.</summary>
/// <param name="Bytes">At most 512 bytes; none for what is no file.</param>
/// <param name="IsGzip">Whether they were unzipped.</param>
internal readonly record struct ImageFileStart(byte[] Bytes, bool IsGzip)
{
    private const int Length = 512;
    private const int ZipName = 30;

    /// <summary>Whether it is a tar archive.</summary>
    public bool IsTar => Bytes.Length >= 262 && Bytes.AsSpan(257).StartsWith("ustar"u8);

    /// <summary>Whether it is an idx file of bytes.</summary>
    public bool IsIdx => Bytes is [0, 0, 0x08, >= 1, ..];

    /// <summary>Whether it is a numpy array.</summary>
    public bool IsNpy => Bytes is [0x93, (byte)'N', (byte)'U', (byte)'M', ..];

    /// <summary>Whether it is a zip archive whose first entry is a numpy array.</summary>
    public bool IsNpz => IsZip && FirstName.EndsWith(".npy", StringComparison.Ordinal);

    /// <summary>Whether it is a zip archive, an empty one included.</summary>
    public bool IsZip => Bytes is [(byte)'P', (byte)'K', 3, 4, ..] or [(byte)'P', (byte)'K', 5, 6, ..];

    private string FirstName => Bytes.Length < ZipName ? ""
        : Encoding.UTF8.GetString(Bytes.AsSpan(ZipName, Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(Bytes.AsSpan(26)), Bytes.Length - ZipName)));

    /// <summary>The start of a file; nothing for a folder or a path where there is none.</summary>
    public static ImageFileStart Of(string path)
    {
        if (!File.Exists(path))
            return new ImageFileStart([], false);
        using var file = File.OpenRead(path);
        var plain = Start(file);
        if (plain is not [0x1f, 0x8b, ..])
            return new ImageFileStart(plain, false);
        try
        {
            file.Position = 0;
            using var unzipped = new GZipStream(file, CompressionMode.Decompress);
            return new ImageFileStart(Start(unzipped), true);
        }
        catch (InvalidDataException)
        {
            return new ImageFileStart(plain, false);
        }
    }

    private static byte[] Start(Stream stream)
    {
        var bytes = new byte[Length];
        return bytes[..stream.ReadAtLeast(bytes, Length, throwOnEndOfStream: false)];
    }
}
