using OnnxDistill.Graph;

namespace OnnxDistill.Data.Images;

/// <summary>Which files of a folder or archive are images, and in which order they count.</summary>
internal static class ImageFileNames
{
    /// <summary>Bytes of one encoded image at most: what is larger is no image of a data set.</summary>
    public const long MostBytes = 256L << 20;

    private static readonly HashSet<string> Endings = new([".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a name is that of an image; hidden files, and the shadows that macOS puts into archives, are none.</summary>
    public static bool IsImage(string path) =>
        Endings.Contains(Path.GetExtension(path)) && !path.Split('/').Any(static part => part.StartsWith('.') || part == "__MACOSX");

    /// <summary>A name with / between its levels, whoever wrote the archive.</summary>
    public static string Normal(string path) => path.Replace('\\', '/').TrimStart('/');

    /// <summary>The images among entries, by name in ordinal order.</summary>
    /// <exception cref="ModelFileException">There are none, or two of one name.</exception>
    public static List<(string Path, T Entry)> Sorted<T>(IEnumerable<(string Path, T Entry)> entries, string where)
    {
        var all = 0;
        var images = new List<(string Path, T Entry)>();
        foreach (var (path, entry) in entries)
        {
            all++;
            if (Normal(path) is var name && IsImage(name))
                images.Add((name, entry));
        }
        if (images.Count == 0)
            throw new ModelFileException($"'{where}' holds no images: found {all} other files, expected files that end in {string.Join(", ", Endings.Order(StringComparer.Ordinal))}.");
        images.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        for (var i = 1; i < images.Count; i++)
        {
            if (images[i].Path == images[i - 1].Path)
                throw new ModelFileException($"'{where}' holds '{images[i].Path}' twice; write the archive again with one of them.");
        }
        return images;
    }

    /// <summary>Reads a stream that states its length: neither less nor more.</summary>
    /// <exception cref="InvalidDataException">The length is over <see cref="MostBytes"/>, or a lie.</exception>
    public static byte[] ReadStated(Stream stream, long length)
    {
        if (length > MostBytes)
            throw new InvalidDataException($"{length:N0} bytes, expected at most {MostBytes:N0}");
        var bytes = new byte[length];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < length || stream.ReadByte() >= 0)
            throw new InvalidDataException($"not the {length:N0} bytes that it is said to have");
        return bytes;
    }
}
