namespace OnnxDistill.Training;

/// <summary>Files that are either whole or absent, whenever the process or the machine stops: written under a temporary name in the same
/// folder, forced to the disk, then renamed over the old file.</summary>
public static class AtomicFile
{
    /// <summary>How temporary names end, and no one else's files: what ends so was left by an interrupted write and can be
    /// deleted.</summary>
    public const string TemporarySuffix = ".odtmp";

    /// <summary>Writes a file through a stream; when <paramref name="write"/> throws, the old file stays.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var temporary = path + TemporarySuffix;
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes a file of those bytes.</summary>
    public static void Write(string path, byte[] bytes) => Write(path, stream => stream.Write(bytes));
}
