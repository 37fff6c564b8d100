using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Cli;

/// <summary>Errors of one process, or of one among many.</summary>
internal static class RankErrors
{
    // An error that all ranks find, a recipe's say, is told once: rank 0 tells it and ends the others while they wait.
    private static readonly TimeSpan Precedence = TimeSpan.FromSeconds(2);

    /// <summary>Tells an error, and with several ranks whose it is and how the job can go on.</summary>
    public static void Write(TextWriter errors, string message, int code)
    {
        var (rank, count) = (RankEnvironment.Rank, RankEnvironment.Count);
        if (rank > 0)
            Thread.Sleep(Precedence);
        errors.WriteLine(count == 1 ? $"onnxdistill: {message}" : $"onnxdistill (rank {rank} of {count}): {message}");
        if (count > 1 && code is ExitCodes.Unexpected or ExitCodes.CheckFailed or ExitCodes.Diverged)
            errors.WriteLine("This ends all ranks. A run goes on from its newest state with --resume, on any number of ranks.");
        errors.Flush();
    }
}
