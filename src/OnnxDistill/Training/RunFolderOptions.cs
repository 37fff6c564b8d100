namespace OnnxDistill.Training;

/// <summary>How a run folder is kept.</summary>
public sealed record RunFolderOptions
{
    /// <summary>The smallest number of images between two files of the run: under 1,000 the names get decimals (<see
    /// cref="KimgName"/>).</summary>
    public long IntervalImages { get; init; } = 1000;

    /// <summary>How many states are kept, the newest included.</summary>
    public int KeepStates { get; init; } = 2;
}
