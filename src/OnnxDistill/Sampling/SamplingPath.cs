namespace OnnxDistill.Sampling;

/// <summary>
/// The way from noise to data: times that fall to 0, and what the state is on it. In the EDM frame a state is z = clean + t noise and its time the noise
/// level; in rectified flow's (Liu et al. 2022, arXiv 2209.03003) z = (1 - t) clean + t noise, whose noise level t/(1 - t) has no bound. In both
/// the flow of the samples is dz/dt = (z - D)/t.
/// </summary>
/// <param name="Times">From the largest to 0.</param>
internal sealed record SamplingPath(double[] Times)
{
    /// <summary>Stands for the infinite level at flow time 1: the smallest at which float32 no longer tells 1 + sigma from sigma, so that a flow network
    /// behind D(x; sigma) sees z itself and a time of exactly 1. A power of two: scaling by it loses nothing.</summary>
    public const double PureNoise = 1 << 24;

    /// <summary>Whether the state is rectified flow's.</summary>
    public bool IsFlow { get; init; }

    /// <summary>The unit of clean samples and levels, in the data's.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The nearest level that the teacher knows: noise is of that level before it is told, so that both agree (methods.md section 2).</summary>
    public Func<double, double> Round { get; init; } = static sigma => sigma;

    /// <summary>This path over the levels that a teacher knows, each of them once.</summary>
    public SamplingPath Over(Func<double, double> round) => this with { Times = [.. Times.SkipLast(1).Select(t => Rounded(t, round)).Distinct(), 0], Round = round };

    /// <summary>The noise level, in the data's units, of a time.</summary>
    public double Sigma(double t) => Scale * (!IsFlow ? t : t < 1 ? t / (1 - t) : PureNoise);

    /// <summary>The time of a noise level.</summary>
    public double Time(double sigma) => IsFlow ? sigma / (Scale + sigma) : sigma / Scale;

    /// <summary>The share of the clean sample in the state.</summary>
    public double Keep(double t) => IsFlow ? 1 - t : 1;

    /// <summary>The noise levels, in the data's units, ending in 0.</summary>
    public double[] Sigmas => Array.ConvertAll(Times, Sigma);

    // A level that is known already keeps its time to the bit: pure noise has no other.
    private double Rounded(double t, Func<double, double> round) => round(Sigma(t)) is var sigma && sigma == Sigma(t) ? t : Time(sigma);
}
