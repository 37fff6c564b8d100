using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>
/// Uni-Instruct: Wang et al., NeurIPS 2025, arXiv 2505.20755: D_f(q_0 || p_0) = D_f(q_T || p_T) + integral of ½ g² E[h(rho) |s_p - s_q|²] dt. The gradient of ½ h |u|² in quantities of first order
/// (methods.md 3.8, derived and checked), with delta = r - f and A, B, C, h of rho under stop-gradient:
/// l = w { ½ A |delta|² + h delta · (f - x) } + sg[w sigma^-2 (½ B |delta|² + C delta · (f - x)) delta] · x_t, w = sigma^-4 or SiD's omega. Beside it SiDA's adversarial term and schedule.
/// Where we differ: rho is the discriminator's exp(logit), not the release's L_gan/(1 - L_gan), which is no ratio (its number is near -1 always); the fourth term, which the
/// release drops, is kept unless <see cref="UniInstructOptions.Terms"/> says otherwise; Jeffreys is h = 1 + rho, not 0.4 rho + 0.6.
/// </summary>
public sealed class UniInstruct(UniInstructOptions options) : IDistillationMethod
{
    private readonly EncoderCritic _critic = new(options.Critic);

    // Without an adversarial term a discriminator is only there for the ratio.
    private bool HasDiscriminator => options.Ratio == RatioSource.Discriminator || options.GanScale > 0;

    /// <inheritdoc/>
    public string Name => "uni-instruct";

    /// <inheritdoc/>
    public string Paper => "Wang et al. 2025, arXiv 2505.20755";

    /// <inheritdoc/>
    public string Published => "CIFAR-10: 1.46, conditional 1.38; ImageNet-64: 1.02";

    /// <inheritdoc/>
    public bool NeedsSamples => HasDiscriminator;

    /// <inheritdoc/>
    public bool LabelsFollowData => true;

    /// <inheritdoc/>
    public bool CouplesBatch => true;

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<FeatureTap> Taps => [.. HasDiscriminator ? [_critic.Tap] : Array.Empty<FeatureTap>(), .. options.Ratio == RatioSource.Exact ? DensityRatio.Taps : []];

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [new(Roles.FakeScore)];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases =>
    [
        HasDiscriminator ? _critic.Phase : FakeScoreLoss.Phase(options.Critic.Noise, options.Critic.Updates, options.Critic.Augment),
        _critic.StudentPhase(BuildStudentLoss),
    ];

    /// <inheritdoc/>
    public JsonObject Preset => MethodPresets.ScoreDistillation(sigmaInit: 2.5, clipValue: 1);

    private Value BuildStudentLoss(LossContext c)
    {
        var b = c.B;
        var step = StudentStep.Of(c, options.StudentNoise);
        var ratio = options.Ratio == RatioSource.Exact ? DensityRatio.Exact(c, step) : Discriminator.Ratio(c, EncoderCritic.Logits(c, step));
        ratio = b.Clip(ratio, options.RatioBounds[0], options.RatioBounds[1]);

        var omega = SampleWeights.InverseMeanAbs(c, step.X, step.R);
        var weight = options.Weight == ExpansionWeight.Omega ? omega : b.Pow(b.PerSample(step.Sigma, step.X.Shape.Rank), -4);
        var score = b.Mul(c.BatchMean(b.Mul(weight, Expansion(c, step, ratio))), options.LossScale);
        if (options.GanScale == 0)
            return score;
        var game = c.BatchMean(EncoderCritic.Fooling(c, EncoderCritic.Logits(c, step), omega));
        return b.Add(score, b.Mul(game, b.Mul(_critic.HasBegun(c), options.GanScale)));
    }

    // The four terms, a number a sample, without the weight.
    private Value Expansion(LossContext c, StudentStep step, Value ratio)
    {
        var b = c.B;
        var (f, rank) = (Divergence.Of(options.Divergence), step.X.Shape.Rank);
        Value PerSample(Value coefficient) => b.PerSample(coefficient, rank);
        var delta = step.Delta(c);
        var square = b.SumPerSample(b.Square(delta));
        var projected = b.SumPerSample(b.Mul(delta, step.Residual(c)));

        var terms = b.Mul(PerSample(f.H(b, ratio)), projected);
        var slope = b.Mul(b.Mul(PerSample(f.B(b, ratio)), square), 0.5);
        if (options.Terms == ExpansionTerms.Exact)
        {
            terms = b.Add(terms, b.Mul(b.Mul(PerSample(f.A(b, ratio)), square), 0.5));
            slope = b.Add(slope, b.Mul(PerSample(f.C(b, ratio)), projected));
        }
        slope = b.Div(slope, b.Square(PerSample(step.Sigma)));
        if (options.Clip > 0)
            slope = b.Clip(slope, -options.Clip, options.Clip);
        return b.Add(terms, b.SumPerSample(b.Mul(b.StopGradient(b.Mul(slope, delta)), step.Noisy)));
    }
}
