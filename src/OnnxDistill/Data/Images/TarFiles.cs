using System.Formats.Tar;
using System.IO.Compression;
using OnnxDistill.Graph;

namespace OnnxDistill.Data.Images;

/// <summary>Images of a tar archive, plain or gzipped. Such an archive can only be read from its start on, so the encoded images are held in memory.</summary>
internal sealed class TarFiles : IImageFiles
{
    // Encoded images in memory at most: 4 GB.
    private const long MostBytes = 4L << 30;

    private readonly List<(string Path, byte[] Bytes)> _files;

    public TarFiles(string path)
    {
        Name = Path.GetFileName(path);
        try
        {
            _files = ImageFileNames.Sorted(Entries(path), path);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new ModelFileException($"'{path}' is not a readable tar archive: {error.Message} Fetch it again.", error);
        }
        Paths = [.. _files.Select(static f => f.Path)];
    }

    public string Name { get; }

    public IReadOnlyList<string> Paths { get; }

    public byte[] Read(int index) => _files[index].Bytes;

    public void Dispose()
    {
    }

    private static IEnumerable<(string Path, byte[] Bytes)> Entries(string path)
    {
        using var file = File.OpenRead(path);
        using var plain = ImageFileStart.Of(path).IsGzip ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        using var tar = new TarReader(plain);
        var total = 0L;
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                continue;
            total += entry.Length;
            ArchiveLimits.Require($"'{path}'", file.Length, total);
            if (total > MostBytes)
                throw new ModelFileException($"'{path}' holds over {MostBytes >> 30} GB, which is too much for an archive that is read from its start on. Unpack it and name the folder.");
            var name = ImageFileNames.Normal(entry.Name);
            yield return (name, ImageFileNames.IsImage(name) && entry.DataStream is { } data ? ImageFileNames.ReadStated(data, entry.Length) : []);
        }
    }
}
