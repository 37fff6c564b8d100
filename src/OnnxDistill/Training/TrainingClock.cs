using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Training;

/// <summary>
/// The time that a run's steps have taken, over all processes that it was resumed in: snapshots, metrics and states do not count. What a rollback undid does,
/// because that time is spent. All ranks go by rank 0's clock, so that they end and measure after the same step.
/// </summary>
internal sealed class TrainingClock(TrainingOptions options, IRankGroup ranks)
{
    private double _before;

    /// <summary>Seconds of training so far.</summary>
    public double Seconds { get; private set; }

    /// <summary>Whether the run has used its time.</summary>
    public bool IsUp => options.Seconds > 0 && Seconds >= options.Seconds;

    /// <summary>Whether the last step has passed a multiple of the interval between snapshots.</summary>
    public bool SnapshotDue => options.SnapshotSeconds > 0 && Math.Floor(_before / options.SnapshotSeconds) != Math.Floor(Seconds / options.SnapshotSeconds);

    /// <summary>What files show: milliseconds are as fine as anybody reads.</summary>
    public double Shown => Math.Round(Seconds, 3);

    /// <summary>A step has been made.</summary>
    public void Add(TimeSpan step)
    {
        _before = Seconds;
        Seconds = RankAgreement.OfFirst(Seconds + step.TotalSeconds, ranks);
    }

    /// <summary>Goes on from a state's time.</summary>
    public void Resume(double seconds) => (_before, Seconds) = (seconds, seconds);
}
