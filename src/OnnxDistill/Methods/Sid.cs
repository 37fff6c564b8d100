using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="Sid"/>.</summary>
public sealed record SidOptions
{
    /// <summary>Weight of the correction: 0.5 is the exact Fisher gradient, 1 is SIM, 1.2 worked best in the paper.</summary>
    [Range(-10, 10)]
    public double Alpha { get; init; } = 1.2;

    /// <summary>Factor on the student's loss (lsg); seen by Adam only through its epsilon and by clipping.</summary>
    [Range(1e-9, 1e9)]
    public double LossScale { get; init; } = 100;

    /// <summary>Law of the student step's noise levels: Karras-uniform, sigma from 0.002 to 24.4 (tmax 800 of 1000).</summary>
    public NoiseLaw StudentNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform, TMax = 0.8 };

    /// <summary>Law of the fake-score step's noise levels.</summary>
    public NoiseLaw FakeScoreNoise { get; init; } = new();

    /// <summary>How samples are augmented in the fake-score step.</summary>
    public AugmentOptions FakeScoreAugment { get; init; } = new();

    /// <summary>Fake-score updates an iteration.</summary>
    [Range(1, 100)]
    public int FakeScoreUpdates { get; init; } = 1;
}

/// <summary>
/// Score identity Distillation: Zhou et al., ICML 2024, arXiv 2404.04057; equations as released:
/// l = omega sum over pixels of (r - f) · [(r - x) - alpha (r - f)], omega = 1/sg[max(mean|x - r|, 1e-5)], L = lsg · sum l / batch.
/// Gradient reaches the student through x directly and through x_t into both denoisers, whose parameters get none.
/// Where we differ: steps that are not finite are skipped and counted (the release's rule is training.optimizer.nonFinite "zero").
/// </summary>
public sealed class Sid(SidOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "sid";

    /// <inheritdoc/>
    public string Paper => "Zhou et al. 2024, arXiv 2404.04057";

    /// <inheritdoc/>
    public string Published => "CIFAR-10: 1.92, conditional 1.71; ImageNet-64: 1.52";

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [new(Roles.FakeScore)];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases =>
    [
        FakeScoreLoss.Phase(options.FakeScoreNoise, options.FakeScoreUpdates, options.FakeScoreAugment),
        new("student", [Roles.Student], BuildStudentLoss),
    ];

    /// <inheritdoc/>
    public JsonObject Preset => MethodPresets.ScoreDistillation(sigmaInit: 2.5);

    private Value BuildStudentLoss(LossContext c)
    {
        var step = StudentStep.Of(c, options.StudentNoise);
        return c.B.Mul(c.BatchMean(c.B.Mul(SampleWeights.InverseMeanAbs(c, step.X, step.R), Term(c, step, options.Alpha))), options.LossScale);
    }

    /// <summary>The sum over pixels of (r - f) · [(r - x) - alpha (r - f)], a number a sample.</summary>
    internal static Value Term(LossContext c, StudentStep step, double alpha)
    {
        var b = c.B;
        var delta = step.Delta(c);
        return b.SumPerSample(b.Mul(delta, b.Sub(b.Sub(step.R, step.X), b.Mul(delta, alpha))));
    }
}
