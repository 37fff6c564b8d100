using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="Vsd"/>.</summary>
public sealed record VsdOptions
{
    /// <summary>Law of the student step's noise levels: t uniform in [0.02, 0.98] of a variance-preserving schedule.</summary>
    public NoiseLaw StudentNoise { get; init; } = NoiseLaw.VariancePreserving;

    /// <summary>Law of the fake-score step's noise levels: t uniform over the whole schedule.</summary>
    public NoiseLaw FakeScoreNoise { get; init; } = NoiseLaw.VariancePreserving with { TMin = 0.001, TMax = 1 };

    /// <summary>What the fake score is fitted in: v, as released.</summary>
    public DenoisingWeight FakeScoreWeight { get; init; } = DenoisingWeight.V;

    /// <summary>Rank of the updates by which the fake score differs from the network that it starts as (LoRA, as in the paper); 0 trains all of it.</summary>
    [Range(0, 65536)]
    public int LoraRank { get; init; }

    /// <summary>Factor alpha on LoRA's updates, over their rank.</summary>
    [Range(1e-6, 1e6)]
    public double LoraAlpha { get; init; } = 4;

    /// <summary>Fake-score updates an iteration.</summary>
    [Range(1, 100)]
    public int FakeScoreUpdates { get; init; } = 1;
}

/// <summary>
/// Variational Score Distillation: ProlificDreamer, Wang et al. 2023, arXiv 2305.16213, equation 9; g = w(t) (eps_teacher - eps_psi), w = sigma_t², where psi is fitted to the student's
/// own samples. In EDM's frame g = sigma / (1 + sigma²) (f - r), sigma in units of sigma_data = 0.5; no denoiser is differentiated. The paper's setting is
/// particles as the student, psi a LoRA of the teacher, and a recipe's <c>guidance</c> of 7.5, which psi does without.
/// Where we differ: one step of psi comes before the student's, with samples of its own.
/// </summary>
public sealed class Vsd(VsdOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "vsd";

    /// <inheritdoc/>
    public string Paper => "Wang et al. 2023, arXiv 2305.16213";

    /// <inheritdoc/>
    public string Published => "text-to-3D";

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries =>
        [new(Roles.FakeScore) { Adapt = options.LoraRank > 0 ? n => Lora.Apply(n, options.LoraRank, options.LoraAlpha) : null }];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases =>
    [
        FakeScoreLoss.Phase(options.FakeScoreNoise, options.FakeScoreUpdates, weight: options.FakeScoreWeight),
        new("student", [Roles.Student], BuildStudentLoss),
    ];

    /// <inheritdoc/>
    public JsonObject Preset => MethodPresets.ScoreDistillation(sigmaInit: 1.0);

    private Value BuildStudentLoss(LossContext c)
    {
        var step = StudentStep.Of(c, options.StudentNoise);
        return Sds.VariationalScore(c, step.X, step.Sigma, c.B.Sub(step.F, step.R));
    }
}
