using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="Dmd"/>.</summary>
public sealed record DmdOptions
{
    /// <summary>Weight of the regression on the teacher's pairs, lambda_reg; 0 for none, and then no pairs are drawn.</summary>
    [Range(0, 1e6)]
    public double RegressionWeight { get; init; } = 0.25;

    /// <summary>The teacher's pairs. The paper has 100,000 for CIFAR-10 and 25,000 for ImageNet [unconfirmed].</summary>
    public PairOptions Pairs { get; init; } = new();

    /// <summary>What tells the student's sample of a pair from the teacher's: LPIPS in the paper, by default the mean squared error.</summary>
    public PerceptualOptions Perceptual { get; init; } = new();

    /// <summary>Law of the student step's noise levels: steps 20 to 980 of Karras' grid of 1000, from the low-noise end.</summary>
    public NoiseLaw StudentNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform, TMin = 0.02, TMax = 0.98 };

    /// <summary>Law of the fake-score step's noise levels: the whole grid. It begins at 0.002, never at 0, where the loss has an infinite weight.</summary>
    public NoiseLaw FakeScoreNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform };

    /// <summary>Fake-score updates an iteration.</summary>
    [Range(1, 100)]
    public int FakeScoreUpdates { get; init; } = 1;
}

/// <summary>
/// Distribution Matching Distillation: Yin et al., CVPR 2024, arXiv 2311.18828, algorithm 1; equations 7 and 8 are <see cref="DistributionMatching"/>:
/// L = L_DM + lambda_reg · d(G(z_ref), y_ref), the pairs (z_ref, y_ref) from the teacher's deterministic sampler, d LPIPS at 224 x 224. Fake score (equation 6):
/// (1/sigma² + 1/sd²) · mean (f - sg[x])². All means are over pixels and batch, which clipping sees.
/// Where we differ: noise levels are drawn between the grid's steps too; the fake score learns first and on samples of its own, as in Diff-Instruct; labels of
/// generated samples are drawn, not those of the pairs; d is the mean squared error until a network is named.
/// </summary>
public sealed class Dmd(DmdOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "dmd";

    /// <inheritdoc/>
    public string Paper => "Yin et al. 2024, arXiv 2311.18828";

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public string Published => "CIFAR-10: 3.77";

    /// <inheritdoc/>
    public PairOptions? Pairs => options.RegressionWeight > 0 ? options.Pairs : null;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [new(Roles.FakeScore)];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases =>
    [
        FakeScoreLoss.Phase(options.FakeScoreNoise, options.FakeScoreUpdates, overPixels: true),
        new("student", [Roles.Student], BuildStudentLoss),
    ];

    /// <summary>Of the re-implementation (devrimcavusoglu/dmd), CIFAR-10. The paper's own are not confirmed: 5e-5 (ImageNet 2e-6), 500 steps of warm-up, batch 392 (336).</summary>
    public JsonObject Preset => MethodPresets.DistributionMatching(learningRate: 5e-5);

    private Value BuildStudentLoss(LossContext c)
    {
        var b = c.B;
        var step = StudentStep.Of(c, options.StudentNoise);
        var matching = DistributionMatching.Loss(c, step.X, step.R, step.F);
        if (Pairs is null)
            return matching;
        var (z, y, pairLabel) = c.Pairs();
        var regression = PerceptualDistance.Between(c, options.Perceptual, c.Student(z, pairLabel, masks: Roles.Student), y);
        return b.Add(matching, b.Mul(regression, options.RegressionWeight));
    }
}
