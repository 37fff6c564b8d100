using System.Globalization;

namespace OnnxDistill.Teachers;

/// <summary>How a teacher does at one noise level, on samples x0 that it made itself: with x = x0 + sigma n, D = D(x; sigma) and the residual R = (x - D)/sigma. For a
/// posterior mean, x0 - D is orthogonal to every function of x, so both sums are 0 (up to the number of samples and the training's own error).</summary>
/// <param name="Sigma">The level.</param>
/// <param name="Noise">⟨n - R, R⟩ over ⟨n, n⟩: is R the best guess of the noise?</param>
/// <param name="Data">⟨x0 - D, D - mean⟩ over ⟨x0 - mean, x0 - mean⟩: is D the best guess of the sample?</param>
/// <param name="Residual">⟨R, R⟩ over ⟨n, n⟩: at most 1 for a posterior mean.</param>
/// <param name="Gain">⟨x - x0, x - x0⟩ over ⟨D - x0, D - x0⟩: how much nearer D is than x.</param>
public sealed record LevelCheck(double Sigma, double Noise, double Data, double Residual, double Gain);

/// <summary>Does an imported denoiser behave like one? Told by samples that it makes itself, without any data at hand.</summary>
public sealed record TeacherCheck
{
    /// <summary>Root mean square distance of its own samples from their mean: about the card's sigma_data.</summary>
    public double SampleStd { get; init; }

    /// <summary>The smallest and largest number of its own samples, a hundredth of them cut off at both ends.</summary>
    public (double Low, double High) SampleRange { get; init; }

    /// <summary>Every level, largest first; empty when it could not be sampled from.</summary>
    public IReadOnlyList<LevelCheck> Levels { get; init; } = [];

    /// <summary>What is wrong, in words; empty when it denoises.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>Whether it denoises.</summary>
    public bool Passed => Faults.Count == 0;

    /// <summary>The largest violation over all levels; 0 for a perfect denoiser.</summary>
    public double Violation => Levels.Count == 0 ? double.PositiveInfinity : Levels.Max(static l => Math.Max(Math.Abs(l.Noise), Math.Abs(l.Data)));

    /// <summary>Runs the check.</summary>
    public static TeacherCheck Run(Denoiser teacher)
    {
        using var probe = new Checking.TeacherProbe(teacher);
        return probe.Check();
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var middle = Levels.MinBy(l => Math.Abs(Math.Log(l.Sigma / SampleStd)));
        return string.Create(CultureInfo.InvariantCulture, $"check: own samples lie in [{SampleRange.Low:F2}, {SampleRange.High:F2}] with a standard deviation of {SampleStd:G3}; ")
            + (middle is null ? "" : string.Create(CultureInfo.InvariantCulture, $"at sigma = {middle.Sigma:G3} the error is {middle.Gain:F1} times smaller than the noise; "))
            + string.Create(CultureInfo.InvariantCulture, $"largest violation of the posterior mean {Violation:F3} (0 is perfect, allowed {Checking.TeacherProbe.Allowed})");
    }
}
