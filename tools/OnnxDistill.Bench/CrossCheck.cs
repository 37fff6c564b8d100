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

    /// <summary>Largest relative difference (norm of the difference over norm) by kind of number.</summary>
    public IReadOnlyDictionary<string, double> Largest => _largest;

    /// <summary>Losses of some iterations, then the weights and, stricter, the changes that training made to them.</summary>
    /// <exception cref="InvalidOperationException">They differ by more than the tolerance.</exception>
    public static CrossCheck OfTraining(ITrainingSide ours, ITrainingSide theirs)
    {
        var check = new CrossCheck();
        var before = ours.Weights(Roles.Student, average: false);
        for (var step = 0; step < Steps; step++)
        {
            var (a, b) = (ours.Iterate(), theirs.Iterate());
            check.Note("losses", Math.Abs(a.FakeScore - b.FakeScore) / Math.Abs(b.FakeScore), $"fake-score loss of step {step}");
            check.Note("losses", Math.Abs(a.Student - b.Student) / Math.Abs(b.Student), $"student loss of step {step}");
        }
        foreach (var (role, average) in new[] { (Roles.FakeScore, false), (Roles.Student, false), (Roles.Student, true) })
        {
            var (a, b) = (ours.Weights(role, average), theirs.Weights(role, average));
            foreach (var name in a.Keys)
            {
                var what = $"{role} {name}{(average ? " (average)" : "")}";
                check.Note("parameters", Difference(a[name], b[name], null), what);
                check.Note("the changes that training made to them", Difference(a[name], b[name], before[name]), $"the update of {what}");
            }
        }
        return check.Passed();
    }

    /// <summary>Samples from the same latents.</summary>
    /// <inheritdoc cref="OfTraining"/>
    public static CrossCheck OfSamples(ISamplingSide ours, ISamplingSide theirs)
    {
        var check = new CrossCheck();
        for (var seed = 0; seed < 2; seed++)
            check.Note("samples", Difference(ours.Sample(seed), theirs.Sample(seed), null), $"the batch of seed {seed}");
        return check.Passed();
    }

    /// <summary>One line.</summary>
    public override string ToString() => string.Join(", ", _largest.Select(l => FormattableString.Invariant($"{l.Key} {l.Value:E1}")));

    private CrossCheck Passed() => _faults.Count == 0 ? this : throw new InvalidOperationException(
        $"The two sides do not compute the same, so there is nothing to report: {string.Join("; ", _faults)}.");

    private void Note(string kind, double difference, string what)
    {
        if (!(difference <= Tolerance))
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
