namespace OnnxDistill.Graph.Io;

/// <summary>A file that appears under its name whole or not at all: written beside it under a temporary name, flushed to the disk, then
/// renamed. Owns the temporary file until <see cref="Commit"/>.</summary>
internal sealed class PendingFile : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private readonly FileStream _stream;

    /// <summary>Opens the temporary file, creating the folder if need be.</summary>
    /// <exception cref="ModelFileException">The place cannot be written to.</exception>
    public PendingFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = Path.GetFullPath(path);
        if (Directory.Exists(_path))
            throw new ModelFileException($"Cannot write the file '{path}': a folder of that name exists.");
        var folder = Path.GetDirectoryName(_path) ?? "";
        _temporary = Path.Combine(folder, $".{Path.GetFileName(_path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            Directory.CreateDirectory(folder);
            _stream = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, e);
        }
    }

    /// <summary>Takes the content.</summary>
    public Stream Stream => _stream;

    /// <summary>Makes the content durable and gives it its name, replacing what was there.</summary>
    public void Commit()
    {
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_temporary, _path, overwrite: true);
    }

    /// <summary>Closes the file, and removes it when it was not committed.</summary>
    public void Dispose()
    {
        try
        {
            _stream.Dispose();
        }
        finally
        {
            // Also on a full disk, where closing fails because what is buffered cannot be written: the half file must not keep the space.
            File.Delete(_temporary);
        }
    }

    /// <summary>Writes one file.</summary>
    /// <exception cref="ModelFileException">The place cannot be written to, or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        using var file = new PendingFile(path);
        try
        {
            write(file.Stream);
            file.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, e);
        }
    }

    /// <summary>The error for a file that cannot be written.</summary>
    public static ModelFileException CannotWrite(string path, Exception e) => new($"Cannot write the file '{path}': {e.Message}", e);
}
