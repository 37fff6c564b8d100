using OnnxDistill.Methods;

namespace OnnxDistill.Bench;

/// <summary>Both sides from the same weights with the same noise have to give the same losses and the same weights, else times mean nothing.</summary>
internal sealed class CrossCheck
{
    // Two float32 implementations of the same formulas; a wrong coefficient or a missing term shows as 1e-2 and more.
    private const double Tolerance = 1e-4;

    /// <summary>Iterations compared.</summary>
    public const int Steps = 4;

    private readonly List<string> _faults = [];

    /// <summary>Largest relative difference of a loss.</summary>
    public double Losses { get; private set; }

    /// <summary>Largest relative difference (norm of the difference over norm) of a parameter after the last step.</summary>
    public double Weights { get; private set; }

    /// <summary>Largest relative difference of the change that training made to a parameter: stricter than that of the parameter itself.</summary>
    public double Updates { get; private set; }

    /// <summary>Runs both sides.</summary>
    /// <exception cref="InvalidOperationException">They differ by more than the tolerance.</exception>
    public static CrossCheck Run()
    {
        var check = new CrossCheck();
        // Adam's first step is the gradient's sign. Where a unit is all but dead the gradient is rounding noise of either library, and with the recipe's
        // epsilon of 1e-8 the noise would be blown up to a full step (seen: a dozen columns of two layers); with 1e-4 it stays as small as it is.
        var program = Workload.Load("training.optimizer.epsilon=1e-4");
        using var ours = new OnnxDistillSide(program);
        using var theirs = new TorchSide(program, new SameNoise(program));
        var before = ours.Weights(Roles.Student, ema: false);
        for (var step = 0; step < Steps; step++)
        {
            var (a, b) = (ours.Step(), theirs.Step());
            check.Losses = check.Note(check.Losses, Math.Abs(a.FakeScore - b.FakeScore) / Math.Abs(b.FakeScore), $"fake-score loss of step {step}");
            check.Losses = check.Note(check.Losses, Math.Abs(a.Student - b.Student) / Math.Abs(b.Student), $"student loss of step {step}");
        }
        foreach (var (role, ema) in new[] { (Roles.FakeScore, false), (Roles.Student, false), (Roles.Student, true) })
        {
            var (a, b) = (ours.Weights(role, ema), theirs.Weights(role, ema));
            foreach (var name in a.Keys)
            {
                check.Weights = check.Note(check.Weights, Difference(a[name], b[name], null), $"{role} {name}{(ema ? " (average)" : "")}");
                check.Updates = check.Note(check.Updates, Difference(a[name], b[name], before[name]), $"the update of {role} {name}{(ema ? " (average)" : "")}");
            }
        }
        return check._faults.Count == 0 ? check : throw new InvalidOperationException(
            $"The two sides do not compute the same, so there is nothing to report: {string.Join("; ", check._faults)}.");
    }

    private double Note(double largest, double difference, string what)
    {
        if (!(difference <= Tolerance))
            _faults.Add(FormattableString.Invariant($"{what} differs by {difference:E2}"));
        return Math.Max(largest, difference);
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
