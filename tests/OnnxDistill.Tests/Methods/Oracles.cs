using OnnxDistill.Data;
using OnnxDistill.Methods;

namespace OnnxDistill.Tests.Methods;

/// <summary>A denoiser in double: its value, and its Jacobian transposed times a vector.</summary>
internal interface IDenoiserOracle
{
    double[] Denoise(double[] x, double sigma);

    double[] TransposedJacobian(double[] x, double sigma, double[] cotangent);
}

/// <summary>D(x; sigma) = x A / (1 + sigma²) + c; the matrix is row-major.</summary>
internal sealed record LinearDenoiser(double[] Matrix, double[] Offset) : IDenoiserOracle
{
    public int Dimension => Offset.Length;

    public static double Shrink(double sigma) => 1 / (1 + (sigma * sigma));

    public double[] Denoise(double[] x, double sigma) =>
        [.. Enumerable.Range(0, Dimension).Select(j => (Shrink(sigma) * x.Select((v, i) => v * Matrix[(i * Dimension) + j]).Sum()) + Offset[j])];

    public double[] TransposedJacobian(double[] x, double sigma, double[] cotangent) =>
        [.. Enumerable.Range(0, Dimension).Select(i => Shrink(sigma) * cotangent.Select((v, j) => v * Matrix[(i * Dimension) + j]).Sum())];
}

/// <summary>The exact denoiser of a mixture. Its Jacobian is the posterior's covariance over sigma² (second-order Tweedie), which is symmetric.</summary>
internal sealed record MixtureDenoiser(GaussianMixture Mixture) : IDenoiserOracle
{
    public double[] Denoise(double[] x, double sigma) => Moments(x, sigma).Mean;

    public double[] TransposedJacobian(double[] x, double sigma, double[] cotangent)
    {
        var (mean, modes) = Moments(x, sigma);
        var result = new double[x.Length];
        foreach (var (share, variance, at) in modes)
        {
            // E[x0 x0ᵀ] c = sum over modes of share (variance c + at (at · c)); minus mean (mean · c) below.
            var along = at.Zip(cotangent, (a, c) => a * c).Sum();
            for (var i = 0; i < x.Length; i++)
                result[i] += share * ((variance * cotangent[i]) + (at[i] * along));
        }
        var mixed = mean.Zip(cotangent, (a, c) => a * c).Sum();
        return [.. result.Select((r, i) => (r - (mean[i] * mixed)) / (sigma * sigma))];
    }

    // The posterior of the clean sample is a mixture again: share, variance and mean of each mode.
    private (double[] Mean, List<(double Share, double Variance, double[] At)> Modes) Moments(double[] x, double sigma)
    {
        var exponents = new double[Mixture.ModeCount];
        var modes = new List<(double, double, double[])>();
        for (var k = 0; k < exponents.Length; k++)
        {
            var (own, noise) = (Mixture.Stds[k] * Mixture.Stds[k], sigma * sigma);
            var m = Mixture.Mean(k).ToArray();
            var distance = x.Zip(m, (a, b) => (a - b) * (a - b)).Sum();
            exponents[k] = Math.Log(Mixture.Weights[k]) - (x.Length / 2.0 * Math.Log(own + noise)) - (distance / (2 * (own + noise)));
            modes.Add((0, own * noise / (own + noise), [.. x.Zip(m, (a, b) => ((own * a) + (noise * b)) / (own + noise))]));
        }
        var largest = exponents.Max();
        var total = exponents.Sum(e => Math.Exp(e - largest));
        var shared = modes.Select((mode, k) => (Share: Math.Exp(exponents[k] - largest) / total, mode.Item2, mode.Item3)).ToList();
        return ([.. Enumerable.Range(0, x.Length).Select(i => shared.Sum(s => s.Share * s.Item3[i]))], shared);
    }
}

/// <summary>One sample of a student step, as the formulas of methods.md see it.</summary>
/// <param name="X">The generated sample.</param>
/// <param name="R">The teacher's denoised sample.</param>
/// <param name="F">The fake score's.</param>
/// <param name="TeacherPull">The teacher's Jacobian transposed, times a vector.</param>
/// <param name="FakePull">The fake score's.</param>
/// <param name="Sigma">The noise level.</param>
/// <param name="NoiseScale">Unit of published noise levels.</param>
internal sealed record OraclePoint(double[] X, double[] R, double[] F, Func<double[], double[]> TeacherPull, Func<double[], double[]> FakePull, double Sigma, double NoiseScale)
{
    /// <summary>The gradient of ln q(z | x_t) by x_t, of a method with a posterior.</summary>
    public double[] Posterior { get; init; } = [];
}

/// <summary>The papers' cotangents with respect to the generated sample, one sample at a time, before the mean over the batch.</summary>
internal static class Oracles
{
    /// <summary>methods.md 3.1: f - r.</summary>
    public static double[] DiffInstruct(OraclePoint p) => Combine(p, (_, r, f) => f - r);

    /// <summary>methods.md 3.5: -omega delta + J_rᵀ omega [2 (1 - alpha) delta + (f - x)] + J_fᵀ omega [(2 alpha - 1) delta - (f - x)], times lsg.</summary>
    public static double[] Sid(OraclePoint p, double alpha, double lossScale)
    {
        var omega = SidWeight(p) * lossScale;
        var direct = Combine(p, (_, r, f) => -omega * (r - f));
        var throughTeacher = p.TeacherPull(Combine(p, (x, r, f) => omega * ((2 * (1 - alpha) * (r - f)) + (f - x))));
        var throughFake = p.FakePull(Combine(p, (x, r, f) => omega * ((((2 * alpha) - 1) * (r - f)) - (f - x))));
        return [.. direct.Zip(throughTeacher, throughFake).Select(t => t.First + t.Second + t.Third)];
    }

    /// <summary>methods.md 3.4 with R = sqrt(|delta|² + c²), S = delta · (f - x): r: q = omega [(f - x)/R - S delta/R³]; f: omega delta/R - q; x: -omega delta/R. c is in units of the noise.</summary>
    public static double[] PseudoHuber(OraclePoint p, double c, double lossScale)
    {
        var omega = SidWeight(p) * lossScale;
        var delta = Combine(p, (_, r, f) => r - f);
        var root = Math.Sqrt(delta.Sum(d => d * d) + (c * c * p.NoiseScale * p.NoiseScale));
        var product = delta.Zip(Combine(p, (x, _, f) => f - x), (a, b) => a * b).Sum();
        var q = Combine(p, (x, r, f) => omega * (((f - x) / root) - (product * (r - f) / (root * root * root))));
        var throughTeacher = p.TeacherPull(q);
        var throughFake = p.FakePull([.. delta.Zip(q, (d, v) => (omega * d / root) - v)]);
        return [.. delta.Zip(throughTeacher, throughFake).Select(t => (-omega * t.First / root) + t.Second + t.Third)];
    }

    /// <summary>methods.md 3.2: weight (f - r) / mean|x - r| / d.</summary>
    public static double[] DistributionMatching(OraclePoint p, double weight) =>
        Combine(p, (_, r, f) => weight * (f - r) / p.X.Zip(p.R, (x, t) => Math.Abs(x - t)).Average() / p.X.Length);

    /// <summary>methods.md 3.10, 3.11: w(t) times the difference of the noises is s/(1 + s²) times that of the denoised samples, s = sigma in published units.</summary>
    public static double[] VariationalScore(OraclePoint p, IEnumerable<double> difference)
    {
        var s = p.Sigma / p.NoiseScale;
        return [.. difference.Select(d => s / (1 + (s * s)) * d)];
    }

    /// <summary>methods.md 3.9: -(sigma/20)² {d ln q(z | x_t)/dx_t + (r - x)/sigma²}.</summary>
    public static double[] VarDiu(OraclePoint p) => [.. p.Posterior.Zip(Combine(p, (x, r, _) => (r - x) / (p.Sigma * p.Sigma)), (q, s) => -p.Sigma * p.Sigma / 400 * (q + s))];

    /// <summary>omega = 1 / max(mean |x - r|, 1e-5).</summary>
    public static double SidWeight(OraclePoint p) => 1 / Math.Max(p.X.Zip(p.R, (x, r) => Math.Abs(x - r)).Average(), 1e-5);

    /// <summary>sigma = exp(-1.2 + 1.2 n), in units of sigma_data = 0.5: EDM's law.</summary>
    public static double LogNormal(double draw, DistillationTask task) => Math.Exp(-1.2 + (1.2 * draw)) * task.SigmaData / 0.5;

    /// <summary>SiD's law: tau = 0.8 u on Karras' grid from 0.002 to 80, tau = 0 at the low end.</summary>
    public static double KarrasUniform(double draw, DistillationTask task) => Karras(0.8 * draw, task);

    /// <summary>A level of Karras' grid from 0.002 to 80 by its place, 0 at the low end.</summary>
    public static double Karras(double tau, DistillationTask task)
    {
        var (low, high) = (Math.Pow(0.002, 1 / 7.0), Math.Pow(80, 1 / 7.0));
        return Math.Pow(high + ((1 - tau) * (low - high)), 7) * task.SigmaData / 0.5;
    }

    /// <summary>VarDiU's law, annealed to its end: 0.1 + u^1.5 (20 - 0.1), in the data's own units.</summary>
    public static double VarDiuPower(double draw, DistillationTask task) => 0.1 + (Math.Pow(draw, 1.5) * 19.9);

    /// <summary>t uniform in [0.02, 0.98] of score_sde's schedule, beta from 0.1 to 20: sigma² = exp(beta_d t²/2 + beta_min t) - 1 (methods.md section 2).</summary>
    public static double VariancePreserving(double draw, DistillationTask task)
    {
        var t = 0.02 + (0.96 * draw);
        return Math.Sqrt(Math.Exp((19.9 * t * t / 2) + (0.1 * t)) - 1) * task.SigmaData / 0.5;
    }

    private static double[] Combine(OraclePoint p, Func<double, double, double, double> formula) =>
        [.. p.X.Zip(p.R, p.F).Select(t => formula(t.First, t.Second, t.Third))];
}
