namespace OnnxDistill.Bench;

/// <summary>Both sides in turn, each in a process of its own.</summary>
internal sealed record Comparison(IReadOnlyList<Round> Ours, IReadOnlyList<Round> Theirs, long OurMemory, long TheirMemory)
{
    /// <summary>Median over the rounds of the median time of a step, in milliseconds.</summary>
    public double OurMedian => Statistics.Median(Ours.Select(r => r.Median));

    /// <inheritdoc cref="OurMedian"/>
    public double TheirMedian => Statistics.Median(Theirs.Select(r => r.Median));

    /// <summary>Ratio of the medians.</summary>
    public double Ratio => OurMedian / TheirMedian;

    /// <summary>The ratio of each round and the one after it: what a disturbance of minutes does not reach.</summary>
    public IEnumerable<double> PairRatios => Ours.Zip(Theirs, (a, b) => a.Median / b.Median);

    /// <summary>A B A B, after a round of each that does not count.</summary>
    public static Comparison Run(IWorkload workload, string[] settings, int rounds, double seconds)
    {
        using var ours = new WorkerProcess(Worker.OnnxDistill, workload.Name, settings);
        using var theirs = new WorkerProcess(Worker.Libtorch, workload.Name, settings);
        ours.Run(seconds);
        theirs.Run(seconds);
        var (a, b) = (new List<Round>(), new List<Round>());
        for (var round = 0; round < rounds; round++)
        {
            a.Add(ours.Run(seconds));
            b.Add(theirs.Run(seconds));
            Console.Error.WriteLine(FormattableString.Invariant($"{workload.Name}, round {round + 1}: {a[^1].Median:F1} ms, {b[^1].Median:F1} ms"));
        }
        return new Comparison(a, b, ours.Finish(), theirs.Finish());
    }
}
