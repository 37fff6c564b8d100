using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="Dmd2"/>; the defaults are those of the authors' release for ImageNet-64.</summary>
public sealed record Dmd2Options
{
    /// <summary>What the discriminator stands on: the fake score's bottleneck (the authors' release), or frozen activations of the teacher (NVIDIA's re-implementation).</summary>
    public DiscriminatorOptions Discriminator { get; init; } = new();

    /// <summary>Factor on the student's adversarial loss.</summary>
    [Range(0, 1e6)]
    public double GanWeight { get; init; } = 3e-3;

    /// <summary>Factor on the discriminator's loss beside the fake score's.</summary>
    [Range(0, 1e6)]
    public double DiscriminatorWeight { get; init; } = 1e-2;

    /// <summary>Factor on the approximate R1 penalty, 0 for none.</summary>
    [Range(0, 1e6)]
    public double R1Weight { get; init; }

    /// <summary>Whether the student's adversarial term looks at the samples that the scores look at (NVIDIA's), or at samples with noise of their own (the release).</summary>
    public bool SharedNoise { get; init; }

    /// <summary>Added to mean|x - r|: 0 in the release, 1e-6 in NVIDIA's.</summary>
    [Range(0, 1)]
    public double Epsilon { get; init; }

    /// <summary>Weight of the fake score's error by noise level: EDM's in the release, x0 in NVIDIA's.</summary>
    public DenoisingWeight FakeScoreWeight { get; init; }

    /// <summary>Law of the student step's noise levels: steps 20 to 980 of Karras' 1000.</summary>
    public NoiseLaw StudentNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform, TMin = 0.02, TMax = 0.98 };

    /// <summary>Law of the critic's noise levels, and of the student's adversarial term: the full grid.</summary>
    public NoiseLaw CriticNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform };

    /// <summary>Critic updates an iteration, that is a student update.</summary>
    [Range(1, 100)]
    public int CriticUpdates { get; init; } = 5;
}

/// <summary>
/// Improved Distribution Matching Distillation: Yin et al., NeurIPS 2024, arXiv 2405.14867, as released (methods.md 3.3): L = 0.5 mean (x - sg[x - g])², g = (f - r)/mean|x - r|, plus
/// GanWeight · mean softplus(-C(x + sigma' epsilon')); the critic's loss is <see cref="AdversarialCritic"/>'s. Gradient reaches the student through x directly and
/// through the discriminator's input; all other parameters are frozen in its step.
/// Where we differ: a critic update draws samples of its own instead of using the student step's; noise levels are continuous along the grid.
/// </summary>
public sealed class Dmd2(Dmd2Options options) : IDistillationMethod
{
    private readonly Discriminator _discriminator = new(options.Discriminator);

    /// <inheritdoc/>
    public string Name => "dmd2";

    /// <inheritdoc/>
    public string Paper => "Yin et al. 2024, arXiv 2405.14867";

    /// <inheritdoc/>
    public string Published => "ImageNet-64: 1.51, longer 1.28";

    /// <inheritdoc/>
    public bool NeedsSamples => true;

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<FeatureTap> Taps => _discriminator.Taps;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [new(Roles.FakeScore), _discriminator.Network];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases =>
    [
        new("student", [Roles.Student], BuildStudentLoss),
        new AdversarialCritic(_discriminator, options.CriticNoise, options.FakeScoreWeight, options.DiscriminatorWeight, options.R1Weight, options.CriticUpdates).Phase,
    ];

    /// <inheritdoc/>
    public JsonObject Preset => MethodPresets.DistributionMatching(learningRate: 2e-6);

    private Value BuildStudentLoss(LossContext c)
    {
        var b = c.B;
        var step = StudentStep.Of(c, options.StudentNoise);
        var loss = DistributionMatching.Loss(c, step.X, step.R, step.F, epsilon: options.Epsilon);
        if (options.GanWeight == 0)
            return loss;
        return b.Add(loss, b.Mul(Discriminator.Real(c, Logit(c, step)), options.GanWeight));
    }

    private Value Logit(LossContext c, StudentStep step)
    {
        if (options.SharedNoise)
            return _discriminator.Logit(c, step);
        var sigma = options.CriticNoise.Sample(c, "sigma_draw_gan");
        return _discriminator.Logit(c, c.AddNoise(step.X, sigma, c.NormalLikeBatch("epsilon_gan")), sigma, step.Label);
    }
}
