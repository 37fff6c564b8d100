using OnnxDistill.Methods;

namespace OnnxDistill.Bench;

/// <summary>Both sides from the same weights with the same noise have to give the same numbers, else times mean nothing.</summary>
internal sealed class CrossCheck
{
    // Two float32 implementations of the same formulas; a wrong coefficient or a missing term shows as 1e-2 and more.
    private const double Tolerance = 1e-4;

    /// <summary>Training iterations compared.</summary>
    public const int Steps = 4;

    private readonly List<string> _faults = [];
    private readonly OrderedDictionary<string, double> _largest = [];

    /// <summary>Compares the losses of some iterations and what they made of the weights; where a tolerance is given also, stricter, the
    /// changes made to each of them.</summary>
    public void AddTraining(ITrainingSide ours, ITrainingSide theirs, double? changes)
    {
        var before = ours.Weights(Roles.Student, average: false);
        for (var step = 0; step < Steps; step++)
        {
            var (a, b) = (ours.Iterate(), theirs.Iterate());
            Note("losses", Math.Abs(a.FakeScore - b.FakeScore) / Math.Abs(b.FakeScore), $"fake-score loss of step {step}");
            Note("losses", Math.Abs(a.Student - b.Student) / Math.Abs(b.Student), $"student loss of step {step}");
        }
        foreach (var (role, average) in new[] { (Roles.FakeScore, false), (Roles.Student, false), (Roles.Student, true) })
        {
            var (a, b) = (ours.Weights(role, average), theirs.Weights(role, average));
            foreach (var name in a.Keys)
            {
                var what = $"{role} {name}{(average ? " (average)" : "")}";
                Note("parameters", Difference(a[name], b[name], null), what);
                if (changes is { } tolerance)
                    Note("the changes that training made to them", Difference(a[name], b[name], before[name]), $"the update of {what}", tolerance);
            }
        }
    }

    /// <summary>Compares samples from the same latents.</summary>
    public void AddSamples(ISamplingSide ours, ISamplingSide theirs)
    {
        for (var seed = 0; seed < 2; seed++)
            Note("samples", Difference(ours.Sample(seed), theirs.Sample(seed), null), $"the batch of seed {seed}");
    }

    /// <summary>Itself, when everything agreed.</summary>
    /// <exception cref="InvalidOperationException">Something differs by more than the tolerance.</exception>
    public CrossCheck Passed() => _faults.Count == 0 ? this : throw new InvalidOperationException(
        $"The two sides do not compute the same, so there is nothing to report: {string.Join("; ", _faults)}.");

    /// <summary>One line.</summary>
    public override string ToString() => string.Join(", ", _largest.Select(l => FormattableString.Invariant($"{l.Key} {l.Value:E1}")));

    private void Note(string kind, double difference, string what, double tolerance = Tolerance)
    {
        if (!(difference <= tolerance))
            _faults.Add(FormattableString.Invariant($"{what} differs by {difference:E2}"));
        _largest[kind] = Math.Max(_largest.GetValueOrDefault(kind), difference);
    }

    private static double Difference(float[] a, float[] b, float[]? origin)
    {
        var (distance, norm) = (0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            distance += Math.Pow(a[i] - (double)b[i], 2);
            norm += Math.Pow(b[i] - (double)(origin?[i] ?? 0), 2);
        }
        return Math.Sqrt(distance / norm);
    }
}
