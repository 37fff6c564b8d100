using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="SidA"/>.</summary>
public sealed record SidAOptions
{
    /// <summary>SiD's weight of the correction; 1 in the paper.</summary>
    [Range(-10, 10)]
    public double Alpha { get; init; } = 1;

    /// <summary>Factor on the student's score term (lsg); halved when the adversarial term sets in.</summary>
    [Range(1e-9, 1e9)]
    public double LossScale { get; init; } = 100;

    /// <summary>Factor on the student's adversarial term (lsg_gan), of which half counts.</summary>
    [Range(0, 1e9)]
    public double GanScale { get; init; } = 0.01;

    /// <summary>Law of the student step's noise levels: Karras-uniform, sigma from 0.002 to 24.4.</summary>
    public NoiseLaw StudentNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform, TMax = 0.8 };

    /// <summary>The fake-score step, which is the discriminator's too.</summary>
    public EncoderCriticOptions Critic { get; init; } = new();
}

/// <summary>
/// Adversarial Score identity Distillation: Zhou et al., ICLR 2025, arXiv 2410.14919, as released: 0.5 lsg sum l / B + 0.5 lsg_gan sum l_gan / B, l SiD's with alpha = 1,
/// l_gan = d · mean softplus(-clamp(C(x_t), ±10)) · omega, C the channel mean of the fake score's encoder; lsg sum l / B before the adversarial term
/// sets in. SiD²A is the same with a finished SiD generator as the recipe's <c>student</c>.
/// Where we differ: steps that are not finite are skipped and counted.
/// </summary>
public sealed class SidA(SidAOptions options) : IDistillationMethod
{
    private readonly EncoderCritic _critic = new(options.Critic);

    /// <inheritdoc/>
    public string Name => "sida";

    /// <inheritdoc/>
    public string Paper => "Zhou et al. 2025, arXiv 2410.14919";

    /// <inheritdoc/>
    public string Published => "CIFAR-10: 1.50, conditional 1.40; ImageNet-64: 1.11";

    /// <inheritdoc/>
    public bool NeedsSamples => true;

    /// <inheritdoc/>
    public bool LabelsFollowData => true;

    /// <inheritdoc/>
    public bool CouplesBatch => true;

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<FeatureTap> Taps => [_critic.Tap];

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [new(Roles.FakeScore)];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases => [_critic.Phase, _critic.StudentPhase(BuildStudentLoss)];

    /// <inheritdoc/>
    public JsonObject Preset => MethodPresets.ScoreDistillation(sigmaInit: 2.5, clipValue: 1);

    private Value BuildStudentLoss(LossContext c)
    {
        var b = c.B;
        var step = StudentStep.Of(c, options.StudentNoise);
        var omega = SampleWeights.InverseMeanAbs(c, step.X, step.R);
        var begun = _critic.HasBegun(c);
        // lsg before, half of it and of the other term after.
        var score = b.Mul(c.BatchMean(b.Mul(omega, Sid.Term(c, step, options.Alpha))), b.Mul(b.Sub(b.Scalar(1), b.Mul(begun, 0.5)), options.LossScale));
        var game = b.Mul(c.BatchMean(EncoderCritic.Fooling(c, EncoderCritic.Logits(c, step), omega)), b.Mul(begun, 0.5 * options.GanScale));
        return b.Add(score, game);
    }
}
