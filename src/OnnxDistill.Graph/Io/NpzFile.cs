using System.IO.Compression;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Reads and writes numpy's <c>.npz</c>: a zip archive of named arrays.</summary>
public static class NpzFile
{
    private const string Extension = ".npy";

    /// <summary>Zip's oldest time: the same arrays give the same file.</summary>
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Reads the arrays, compressed or not, in the file's order.</summary>
    /// <exception cref="ModelFileException">The file is missing, damaged, or holds something other than arrays.</exception>
    public static OrderedDictionary<string, TensorData> Read(string path)
    {
        var what = $"The array archive '{path}'";
        var arrays = new OrderedDictionary<string, TensorData>(StringComparer.Ordinal);
        try
        {
            using var archive = new ZipArchive(Open(path), ZipArchiveMode.Read);
            foreach (var entry in archive.Entries)
            {
                if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
                    throw new ModelFileException($"{what} holds '{entry.FullName}', which is no {Extension} array.");
                var name = entry.FullName[..^Extension.Length];
                if (!arrays.TryAdd(name, NpyFile.FromBytes(Content(entry), $"The array '{name}' in '{path}'")))
                    throw new ModelFileException($"{what} holds the array '{name}' twice.");
            }
            return arrays;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException($"{what} is not a readable zip archive: {e.Message}", e);
        }
    }

    /// <summary>Writes the arrays in that order, whole or not at all; the folder is created.</summary>
    /// <param name="path">The file.</param>
    /// <param name="arrays">Names and arrays.</param>
    /// <param name="compression">Stored as they are by default: weights and samples hardly shrink.</param>
    /// <exception cref="ModelFileException">The place cannot be written to, a name occurs twice, or numpy has no such element
    /// type.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, TensorData>> arrays,
        CompressionLevel compression = CompressionLevel.NoCompression) => PendingFile.Write(path, stream =>
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, tensor) in arrays)
        {
            if (!names.Add(name))
                throw new ModelFileException($"Cannot write '{path}': the array '{name}' occurs twice.");
            var entry = archive.CreateEntry(name + Extension, compression);
            entry.LastWriteTime = NoTime;
            using var content = entry.Open();
            NpyFile.Write(content, tensor, $"the array '{name}'");
        }
    });

    private static FileStream Open(string path) =>
        Directory.Exists(path) ? throw new ModelFileException($"Expected an array archive at '{path}', found a folder.")
        : File.Exists(path) ? File.OpenRead(path)
        : throw new ModelFileException($"There is no array archive '{path}'.");

    /// <summary>What the entry unpacks to. The buffer grows with what is really there: the size that the archive states may be a
    /// lie.</summary>
    private static ReadOnlyMemory<byte> Content(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.GetBuffer().AsMemory(0, (int)content.Length);
    }
}
