using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>Families of noise-level laws.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NoiseLawKind>))]
public enum NoiseLawKind
{
    /// <summary>ln sigma ~ N(mean, deviation²).</summary>
    [JsonStringEnumMemberName("log-normal")]
    LogNormal,
    /// <summary>Uniform along Karras' rho-warped grid between min and max, from the fraction <c>tmin</c> to <c>tmax</c> counted from the low-noise end.</summary>
    [JsonStringEnumMemberName("karras-uniform")]
    KarrasUniform,
    /// <summary>min + u^power (max - min).</summary>
    [JsonStringEnumMemberName("power")]
    Power,
    /// <summary>Uniform times t in [tMin, tMax] of the variance-preserving schedule of Song et al. 2021 (arXiv 2011.13456), sigma² = exp(9.95 t² + 0.1 t) - 1.</summary>
    [JsonStringEnumMemberName("vp-uniform")]
    VpUniform,
}

/// <summary>The law that noise levels are drawn from. Levels are in units of sigma_data = 0.5, as published, and scale with the teacher's
/// sigma_data unless <see cref="Absolute"/> is set.</summary>
public sealed record NoiseLaw : IValidatableObject
{
    /// <summary>Which family.</summary>
    public NoiseLawKind Kind { get; init; } = NoiseLawKind.LogNormal;

    /// <summary>Mean of ln sigma (log-normal); EDM's P_mean.</summary>
    public double Mean { get; init; } = -1.2;

    /// <summary>Standard deviation of ln sigma (log-normal); EDM's P_std.</summary>
    [Range(1e-6, 100)]
    public double Deviation { get; init; } = 1.2;

    /// <summary>Smallest level (karras-uniform, power).</summary>
    [Range(1e-9, 1e9)]
    public double Min { get; init; } = 0.002;

    /// <summary>Largest level (karras-uniform, power).</summary>
    [Range(1e-9, 1e9)]
    public double Max { get; init; } = 80;

    /// <summary>Warp of the grid (karras-uniform).</summary>
    [Range(0.1, 100)]
    public double Rho { get; init; } = 7;

    /// <summary>Fraction of the grid that is left out at the low-noise end (karras-uniform, vp-uniform): DMD's step 20 of 1000 is 0.02.</summary>
    [Range(0, 1)]
    public double TMin { get; init; }

    /// <summary>Fraction of the grid at which it ends, from the low-noise end (karras-uniform, vp-uniform): SiD's tmax = 800 of 1000 is 0.8, sigma up to 24.4.</summary>
    [Range(1e-6, 1)]
    public double TMax { get; init; } = 1;

    /// <summary>Exponent (power): 1 is uniform, larger favours low noise.</summary>
    [Range(1e-3, 100)]
    public double Power { get; init; } = 1.5;

    /// <summary>Exponent at the start, where it moves to <see cref="Power"/> along a line (power); VarDiU's 0.1 begins near the largest noise.</summary>
    [Range(1e-3, 100)]
    public double PowerFrom { get; init; } = 0.1;

    /// <summary>Samples seen when the exponent has arrived; 0 keeps it at <see cref="Power"/> from the start (power).</summary>
    [Range(0, long.MaxValue)]
    public long PowerImages { get; init; }

    /// <summary>Levels are in the data's own units and do not scale with sigma_data.</summary>
    public bool Absolute { get; init; }

    private const double BetaMin = 0.1, BetaRange = 19.9;

    /// <summary>SDS' and VSD's: t uniform in [0.02, 0.98].</summary>
    internal static NoiseLaw VariancePreserving => new() { Kind = NoiseLawKind.VpUniform, TMin = 0.02, TMax = 0.98 };

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Kind != NoiseLawKind.LogNormal && Min >= Max)
            yield return new ValidationResult(string.Create(CultureInfo.InvariantCulture, $"found min {Min} and max {Max}, expected min below max."));
        if (Kind is NoiseLawKind.KarrasUniform or NoiseLawKind.VpUniform && TMin >= TMax)
            yield return new ValidationResult(string.Create(CultureInfo.InvariantCulture, $"found tMin {TMin} and tMax {TMax}, expected tMin below tMax."));
    }

    /// <summary>Emits noise levels [N] that the teacher knows, drawn from one random input of that name.</summary>
    public Value Sample(LossContext c, string name = "sigma_draw") => c.Rounded(Draw(c, name));

    /// <summary>The law's unit in that task's.</summary>
    internal double Scale(DistillationTask task) => Absolute ? 1 : task.NoiseScale;

    private Value Draw(LossContext c, string name)
    {
        var b = c.B;
        var scale = Scale(c.Task);
        switch (Kind)
        {
            case NoiseLawKind.LogNormal:
                return b.Exp(b.Add(b.Mul(c.NormalPerSample(name), Deviation), Mean + Math.Log(scale)));
            case NoiseLawKind.KarrasUniform:
                // tau = 0 is the lowest noise (methods.md 3.5, trap 18): (max^(1/rho) + (1 - tau) (min^(1/rho) - max^(1/rho)))^rho.
                var (low, high) = (Math.Pow(Min * scale, 1 / Rho), Math.Pow(Max * scale, 1 / Rho));
                return b.Pow(b.Add(b.Mul(c.UniformPerSample(name), (TMax - TMin) * (high - low)), low + (TMin * (high - low))), Rho);
            case NoiseLawKind.VpUniform:
                var t = b.Add(b.Mul(c.UniformPerSample(name), TMax - TMin), TMin);
                var logarithm = b.Mul(t, b.Add(b.Mul(t, BetaRange / 2), BetaMin));
                return b.Mul(b.Sqrt(b.Sub(b.Exp(logarithm), b.Scalar(1))), scale);
            case NoiseLawKind.Power:
                var exponent = PowerImages == 0 ? b.Scalar(Power) : c.Ramp($"{name}_power", new Ramp(PowerFrom, Power, 0, PowerImages));
                return b.Mul(b.Add(b.Mul(b.Pow(c.UniformPerSample(name), exponent), Max - Min), Min), scale);
            default:
                throw new InvalidOperationException($"Unknown noise law {Kind}.");
        }
    }
}
