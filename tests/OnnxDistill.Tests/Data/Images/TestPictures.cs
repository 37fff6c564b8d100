using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using SkiaSharp;

namespace OnnxDistill.Tests.Data.Images;

/// <summary>Encoded images and archives of them, made as a test needs them.</summary>
internal static class TestPictures
{
    /// <summary>A file's name and content.</summary>
    public readonly record struct Entry(string Path, byte[] Bytes);

    /// <summary>A PNG of grey bytes, row-major.</summary>
    public static byte[] GreyPng(int width, params byte[] pixels) => Encode(SKColorType.Gray8, SKAlphaType.Opaque, width, pixels, SKEncodedImageFormat.Png);

    /// <summary>A PNG of red, green, blue, alpha bytes.</summary>
    public static byte[] ColourPng(int width, params byte[] pixels) => Encode(SKColorType.Rgba8888, SKAlphaType.Unpremul, width, pixels, SKEncodedImageFormat.Png);

    /// <summary>A JPEG of the best quality with an EXIF entry of that orientation, 1 to 8.</summary>
    public static byte[] Jpeg(int orientation, int width, byte[] greys)
    {
        var jpeg = Encode(SKColorType.Gray8, SKAlphaType.Opaque, width, greys, SKEncodedImageFormat.Jpeg);
        // One TIFF directory with one entry: tag 0x0112, a short.
        byte[] exif = [0xff, 0xe1, 0, 34, .. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }

    /// <summary>A PNG whose header claims another size than its data have, its checksum in order.</summary>
    public static byte[] PngThatClaims(int width, int height)
    {
        var png = GreyPng(1, 7);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32(png.AsSpan(12, 17)));
        return png;
    }

    /// <summary>A folder of files.</summary>
    public static string Folder(TestFiles files, string name, params Entry[] entries)
    {
        Directory.CreateDirectory(files[name]);
        foreach (var (path, bytes) in entries)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(files[$"{name}/{path}"])!);
            files.Write($"{name}/{path}", bytes);
        }
        return files[name];
    }

    /// <summary>A zip archive of files.</summary>
    public static string Zip(TestFiles files, string name, params Entry[] entries)
    {
        using var archive = new ZipArchive(File.Create(files[name]), ZipArchiveMode.Create);
        foreach (var (path, bytes) in entries)
        {
            using var stream = archive.CreateEntry(path, CompressionLevel.SmallestSize).Open();
            stream.Write(bytes);
        }
        return files[name];
    }

    /// <summary>A tar archive of files, gzipped where its name ends so.</summary>
    public static string Tar(TestFiles files, string name, params Entry[] entries)
    {
        using var file = File.Create(files[name]);
        using var stream = name.EndsWith("gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.SmallestSize) : (Stream)file;
        using var tar = new TarWriter(stream, TarEntryFormat.Ustar);
        tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, "set/"));
        foreach (var (path, bytes) in entries)
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(bytes) });
        return files[name];
    }

    private static byte[] Encode(SKColorType type, SKAlphaType alpha, int width, byte[] pixels, SKEncodedImageFormat format)
    {
        var channels = type == SKColorType.Gray8 ? 1 : 4;
        using var bitmap = new SKBitmap(width, pixels.Length / channels / width, type, alpha);
        for (var y = 0; y < bitmap.Height; y++)
            pixels.AsSpan(y * width * channels, width * channels).CopyTo(bitmap.GetPixelSpan()[(y * bitmap.RowBytes)..]);
        using var data = bitmap.Encode(format, 100);
        return data.ToArray();
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }
        return ~crc;
    }
}
