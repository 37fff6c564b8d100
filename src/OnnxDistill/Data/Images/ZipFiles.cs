using System.IO.Compression;
using OnnxDistill.Graph;

namespace OnnxDistill.Data.Images;

/// <summary>Images of a zip archive. Names of entries are names only, no paths that anything is written to.</summary>
internal sealed class ZipFiles : IImageFiles
{
    private readonly Lock _lock = new();
    private readonly string _path;
    private ZipArchive? _archive;
    private Dictionary<string, ZipArchiveEntry> _entries = [];

    public ZipFiles(string path)
    {
        (_path, Name) = (path, Path.GetFileName(path));
        Paths = [.. Opened().Select(static e => e.Path)];
        ArchiveLimits.Require($"'{path}'", new FileInfo(path).Length, _entries.Values.Sum(static e => e.Length));
    }

    public string Name { get; }

    public IReadOnlyList<string> Paths { get; }

    // The archive has one position in its file; what costs time, decoding, comes after.
    public byte[] Read(int index)
    {
        lock (_lock)
        {
            if (_archive is null)
                Opened();
            var entry = _entries.GetValueOrDefault(Paths[index]) ?? throw new InvalidDataException("no longer in the archive");
            using var stream = entry.Open();
            return ImageFileNames.ReadStated(stream, entry.Length);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _archive?.Dispose();
            _archive = null;
        }
    }

    private List<(string Path, ZipArchiveEntry Entry)> Opened()
    {
        try
        {
            _archive = ZipFile.OpenRead(_path);
            var images = ImageFileNames.Sorted(_archive.Entries.Where(static e => e.Name.Length > 0).Select(static e => (e.FullName, e)), _path);
            foreach (var (path, entry) in images)
                ArchiveLimits.Require($"'{path}' in '{_path}'", entry.CompressedLength, entry.Length);
            _entries = images.ToDictionary(static i => i.Path, static i => i.Entry, StringComparer.Ordinal);
            return images;
        }
        catch (Exception error) when (error is InvalidDataException or ModelFileException)
        {
            Dispose();
            throw error as ModelFileException ?? new ModelFileException($"'{_path}' is not a readable zip archive: {error.Message} Fetch it again.", error);
        }
    }
}
