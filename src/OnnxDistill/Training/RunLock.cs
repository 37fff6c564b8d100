using System.Globalization;

namespace OnnxDistill.Training;

/// <summary>
/// Keeps a second process out of a run folder: a file that is held open with an exclusive lock. The operating system lets go of it when the
/// process ends, however it ends. Beside it lies the holder's process id, in a file of its own because a locked file cannot be read.
/// </summary>
internal sealed class RunLock : IDisposable
{
    public const string FileName = "run.lock";
    public const string HolderName = "run.pid";

    private readonly FileStream _file;
    private readonly string _holder;

    private RunLock(FileStream file, string holder) => (_file, _holder) = (file, holder);

    /// <summary>Takes the lock of a folder that exists.</summary>
    /// <exception cref="RunFolderException">Another process holds it.</exception>
    public static RunLock Take(string folder)
    {
        var holder = Path.Combine(folder, HolderName);
        FileStream file;
        try
        {
            // The file stays behind, empty: to delete it would let two processes hold locks of two files of the same name.
            file = new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (IsHeld(error))
        {
            throw new RunFolderException($"The run in '{folder}' is in use by {Holder(holder)}: two processes would overwrite each other's states. "
                + "Stop that one (Ctrl+C saves its state), or name another folder. Nothing was changed.");
        }
        try
        {
            File.WriteAllText(holder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        }
        catch
        {
            file.Dispose();
            throw;
        }
        return new RunLock(file, holder);
    }

    public void Dispose()
    {
        File.Delete(_holder);
        _file.Dispose();
    }

    // EWOULDBLOCK of Linux and of macOS and the BSDs; ERROR_SHARING_VIOLATION.
    private static bool IsHeld(IOException error) => error.HResult is 11 or 35 or unchecked((int)0x80070020);

    private static string Holder(string path)
    {
        try
        {
            return $"process {int.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture)}";
        }
        catch (Exception error) when (error is IOException or FormatException or UnauthorizedAccessException)
        {
            return "another process that has only just begun";
        }
    }
}
