using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="DiffInstruct"/>.</summary>
public sealed record DiffInstructOptions
{
    /// <summary>Law of the student step's noise levels.</summary>
    public NoiseLaw StudentNoise { get; init; } = new();

    /// <summary>Law of the fake-score step's noise levels.</summary>
    public NoiseLaw FakeScoreNoise { get; init; } = new();

    /// <summary>How samples are augmented in the fake-score step.</summary>
    public AugmentOptions FakeScoreAugment { get; init; } = new();

    /// <summary>Fake-score updates an iteration.</summary>
    [System.ComponentModel.DataAnnotations.Range(1, 100)]
    public int FakeScoreUpdates { get; init; } = 1;
}

/// <summary>
/// Diff-Instruct: Luo et al. 2023, arXiv 2305.18455; the integral KL between noised student and noised teacher. Generator loss as released
/// (weight 1 in denoiser space): L = sum over pixels of sg[f - r] · x, averaged over the batch; no network but the student is differentiated.
/// Where we differ: steps that are not finite are skipped and counted (the release's
/// rule is training.optimizer.nonFinite "zero").
/// </summary>
public sealed class DiffInstruct(DiffInstructOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "diff-instruct";

    /// <inheritdoc/>
    public string Paper => "Luo et al. 2023, arXiv 2305.18455";

    /// <inheritdoc/>
    public string Published => "CIFAR-10: 4.53, conditional 4.19";

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
    public JsonObject Preset => MethodPresets.ScoreDistillation(sigmaInit: 1.0);

    private Value BuildStudentLoss(LossContext c)
    {
        var b = c.B;
        var (x, label, sigma, noised) = NoisyStudent.Of(c, options.StudentNoise);
        var noisy = b.StopGradient(noised);
        // Both in training mode with the same masks, so that what they drop leaves no trace in their difference (methods.md 3.1).
        var r = c.Teacher(noisy, sigma, label, masks: "denoisers");
        var f = c.FakeScore(noisy, sigma, label, masks: "denoisers");
        return c.BatchMean(b.SumPerSample(b.Mul(b.StopGradient(b.Sub(f, r)), x)));
    }
}
