using System.Globalization;

namespace OnnxDistill.Training;

/// <summary>A file of a run could not be written because its disk (or the user's share of it) is full. Exit code 3.</summary>
public sealed class DiskFullException : IOException
{
    /// <summary>An error with that whole message.</summary>
    public DiskFullException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>Whether an error, or what caused it, says that there is no space left.</summary>
    internal static bool Means(Exception? error) => error is not null && ((error is IOException && IsFull(error.HResult)) || Means(error.InnerException));

    // ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED; ENOSPC; EDQUOT of Linux and of macOS and the BSDs.
    private static bool IsFull(int code) => OperatingSystem.IsWindows()
        ? code is unchecked((int)0x80070070) or unchecked((int)0x80070027) or unchecked((int)0x8007050F)
        : code is 28 or 122 or 69;

    /// <summary>The error of a run: what could not be written, how much space there is, what is safe, what to do.</summary>
    internal static DiskFullException Of(Exception error, RunFolder folder)
    {
        var safe = folder.TryLatestState() is { } state
            ? $"The newest whole state is '{state}' ({Megabytes(new FileInfo(state).Length)} MB; a new one needs that much beside it). Free some space, or move the folder "
                + $"to a larger disk, and go on with --resume '{folder.Path}': nothing but time is lost."
            : "There is no state yet, so the run has to be started anew, in a folder with more space.";
        return new DiskFullException($"The disk is full: {error.Message} Free there: {Free(folder.Path)}. {safe}", error);
    }

    private static string Free(string path)
    {
        try
        {
            return $"{Megabytes(new DriveInfo(path).AvailableFreeSpace)} MB";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "not known";
        }
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.###", CultureInfo.InvariantCulture);
}
