namespace OnnxDistill.Training;

/// <summary>What a run tells whoever watches it.</summary>
public interface IRunObserver
{
    /// <summary>After every step; most have nothing to say to it.</summary>
    /// <param name="imagesSeen">Samples that the student's step has seen.</param>
    /// <param name="images">Length of the run.</param>
    void Stepped(long imagesSeen, long images)
    {
    }

    /// <summary>Before the first step: how far something has come that is made once, teacher pairs for instance.</summary>
    void Preparing(string what, long done, long count)
    {
    }

    /// <summary>A row of the log: numbers by name (losses, norms, speed).</summary>
    void Progress(RunProgress progress);

    /// <summary>Metrics of a snapshot.</summary>
    void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics);

    /// <summary>Something worth a line: a file written, a step skipped.</summary>
    void Note(string text);
}

/// <summary>Where a run stands.</summary>
/// <param name="ImagesSeen">Samples that the student's step has seen.</param>
/// <param name="Images">Length of the run.</param>
/// <param name="Numbers">Columns of log.csv.</param>
/// <param name="ImagesPerSecond">Speed since the last row.</param>
/// <param name="Remaining">Expected time to the end.</param>
public readonly record struct RunProgress(long ImagesSeen, long Images, IReadOnlyDictionary<string, double> Numbers, double ImagesPerSecond, TimeSpan Remaining);

/// <summary>Tells nobody.</summary>
public sealed class SilentObserver : IRunObserver
{
    /// <inheritdoc/>
    public void Progress(RunProgress progress)
    {
    }

    /// <inheritdoc/>
    public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics)
    {
    }

    /// <inheritdoc/>
    public void Note(string text)
    {
    }
}
