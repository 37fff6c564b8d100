using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers.Conventions;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="FDistill"/>; the defaults are those of NVIDIA's release for ImageNet-64.</summary>
public sealed record FDistillOptions
{
    /// <summary>The divergence D_f(q || p) at each noise level.</summary>
    public DivergenceKind Divergence { get; init; } = DivergenceKind.JensenShannon;

    /// <summary>Where the density ratio comes from.</summary>
    public RatioSource Ratio { get; init; } = RatioSource.Discriminator;

    /// <summary>Bounds of the density ratio.</summary>
    [MinLength(2), MaxLength(2)]
    public double[] RatioBounds { get; init; } = [0.1, 20];

    /// <summary>What the discriminator stands on.</summary>
    public DiscriminatorOptions Discriminator { get; init; } = new() { On = DiscriminatorBase.Teacher };

    /// <summary>Factor on the student's adversarial loss.</summary>
    [Range(0, 1e6)]
    public double GanWeight { get; init; } = 3e-3;

    /// <summary>Factor on the approximate R1 penalty, 0 for none.</summary>
    [Range(0, 1e6)]
    public double R1Weight { get; init; }

    /// <summary>Equal stretches of noise levels, each with its own mean ratio that ratios are divided by; 0 leaves ratios as they are.</summary>
    [Range(0, 1000)]
    public int Bins { get; init; } = 10;

    /// <summary>How much of a bin's mean stays at an update: 0 takes the batch's (CIFAR-10), 0.5 is ImageNet-64's.</summary>
    [Range(0, 1)]
    public double BinDecay { get; init; }

    /// <summary>Divide the weights h by their mean over the batch.</summary>
    public bool NormalizeWeights { get; init; } = true;

    /// <summary>Law of the student step's noise levels: steps 2 to 998 of Karras' 1000.</summary>
    public NoiseLaw StudentNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform, TMin = 0.002, TMax = 0.998 };

    /// <summary>Law of the critic's noise levels.</summary>
    public NoiseLaw CriticNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform, TMin = 0.002, TMax = 0.998 };

    /// <summary>Critic updates an iteration, that is a student update.</summary>
    [Range(1, 100)]
    public int CriticUpdates { get; init; } = 4;
}

/// <summary>
/// f-distill: Xu, Nie and Vahdat 2025, arXiv 2502.15681, theorem 1: the gradient of D_f(q_t || p_t) is -E[h(rho) (s_q - s_p) dx_t], h = rho² f''(rho). As released by NVIDIA
/// (methods.md 3.7): DMD2's term with the weight h(rho), rho from the discriminator's logit at the same x_t, within bounds, over the mean of its
/// noise level's bin; h over its mean in the batch; plus GanWeight · mean softplus(-logit).
/// Where we differ: h is rho² f'' itself, also where the release drops a constant (a constant goes with the division by the mean).
/// </summary>
public sealed class FDistill(FDistillOptions options) : IDistillationMethod
{
    private const double Tiny = 1e-6;
    private const string BinMeans = "bins";

    private readonly Discriminator _discriminator = new(options.Discriminator);

    // Without an adversarial term a discriminator is only there for the ratio.
    private bool HasDiscriminator => options.Ratio == RatioSource.Discriminator || options.GanWeight > 0;

    /// <inheritdoc/>
    public string Name => "f-distill";

    /// <inheritdoc/>
    public string Paper => "Xu et al. 2025, arXiv 2502.15681";

    /// <inheritdoc/>
    public string Published => "CIFAR-10 conditional: 1.92; ImageNet-64: 1.16";

    /// <inheritdoc/>
    public bool NeedsSamples => HasDiscriminator;

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public bool CouplesBatch => options.Bins > 0 || options.NormalizeWeights || options.Ratio == RatioSource.Exact;

    /// <inheritdoc/>
    public IReadOnlyList<FeatureTap> Taps => [.. HasDiscriminator ? _discriminator.Taps : [], .. options.Ratio == RatioSource.Exact ? DensityRatio.Taps : []];

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => HasDiscriminator ? [new(Roles.FakeScore), _discriminator.Network] : [new(Roles.FakeScore)];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases =>
    [
        HasDiscriminator
            ? new AdversarialCritic(_discriminator, options.CriticNoise, DenoisingWeight.X0, 1, options.R1Weight, options.CriticUpdates).Phase
            : FakeScoreLoss.Phase(options.CriticNoise, options.CriticUpdates, weight: DenoisingWeight.X0),
        new("student", [Roles.Student], BuildStudentLoss),
    ];

    /// <inheritdoc/>
    public JsonObject Preset => MethodPresets.DistributionMatching(learningRate: 2e-6);

    private Value BuildStudentLoss(LossContext c)
    {
        var b = c.B;
        var step = StudentStep.Of(c, options.StudentNoise);
        var logit = HasDiscriminator ? _discriminator.Logit(c, step) : null;
        var ratio = options.Ratio == RatioSource.Exact ? DensityRatio.Exact(c, step) : Discriminator.Ratio(c, logit!);
        ratio = b.Clip(ratio, options.RatioBounds[0], options.RatioBounds[1]);
        if (options.Bins > 0)
            ratio = OverItsBin(c, ratio, step.Sigma);
        var h = Divergence.Of(options.Divergence).H(b, ratio);
        if (options.NormalizeWeights)
            h = b.Div(h, b.Add(b.ReduceMean(h, keepDims: false), Tiny));
        var loss = DistributionMatching.Loss(c, step.X, step.R, step.F, b.StopGradient(h), epsilon: Tiny);
        return options.GanWeight == 0 ? loss : b.Add(loss, b.Mul(Discriminator.Real(c, logit!), options.GanWeight));
    }

    // Bins of equal width in sigma over the law's whole range; one without samples keeps its mean.
    private Value OverItsBin(LossContext c, Value ratio, Value sigma)
    {
        var b = c.B;
        var (law, count) = (options.StudentNoise, options.Bins);
        var bounds = Enumerable.Range(1, count - 1).Select(i => (law.Min + ((law.Max - law.Min) * i / count)) * law.Scale(c.Task)).ToArray();
        var bins = b.Constant(TensorData.Of([.. Enumerable.Range(0, count).Select(static i => (long)i)], 1, count));
        var inBin = b.Cast(b.Equal(b.Unsqueeze(b.CountReached(sigma, bounds), 1), bins), ElementType.Float32);

        var old = c.Carried(BinMeans, TensorData.Of([.. Enumerable.Repeat(1f, count)], count));
        var samples = b.ReduceSum(inBin, [0], keepDims: false);
        var mean = b.Div(b.ReduceSum(b.Mul(inBin, b.Unsqueeze(ratio, 1)), [0], keepDims: false), b.Max(samples, b.Scalar(1)));
        var moved = b.Add(b.Mul(old, options.BinDecay), b.Mul(mean, 1 - options.BinDecay));
        var next = b.Where(b.Greater(samples, b.Scalar(0)), moved, old);
        c.Carry(BinMeans, next);
        var own = b.ReduceSum(b.Mul(inBin, b.Unsqueeze(next, 0)), [1], keepDims: false);
        return b.Div(ratio, b.Add(own, Tiny));
    }
}
