using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;

namespace OnnxDistill.Methods;

/// <summary>The distance d of SIM's divergence E[d(s_p - s_q)].</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScoreDistance>))]
public enum ScoreDistance
{
    /// <summary>d(y) = |y|² / 2: SiD with alpha = 1.</summary>
    [JsonStringEnumMemberName("l2")]
    L2,
    /// <summary>d(y) = sqrt(|y|² + c²) - c, over the whole image.</summary>
    [JsonStringEnumMemberName("pseudo-huber")]
    PseudoHuber,
}

/// <summary>Options of <see cref="Sim"/>.</summary>
public sealed record SimOptions
{
    /// <summary>The distance of scores.</summary>
    public ScoreDistance Distance { get; init; } = ScoreDistance.PseudoHuber;

    /// <summary>c of the pseudo-Huber distance, in units of a denoised sample, a number of it: the whole image's is c sqrt(d), the scores' c sqrt(d)/sigma². The paper's is not known;
    /// this is that of consistency training (Song and Dhariwal 2023, arXiv 2310.14189).</summary>
    [Range(1e-9, 1e3)]
    public double HuberC { get; init; } = 0.00054;

    /// <summary>Factor on the student's loss; seen by Adam only through its epsilon and by clipping.</summary>
    [Range(1e-9, 1e9)]
    public double LossScale { get; init; } = 100;

    /// <summary>Law of the student step's noise levels: Karras-uniform, sigma from 0.002 to 24.4, as SiD's.</summary>
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
/// Score Implicit Matching: Luo et al., NeurIPS 2024, arXiv 2410.16794, theorem 3.1; L = w {-d'(u)}ᵀ (s_psi(x_t) - grad log p(x_t|x)), u = s_psi - s_phi. In denoisers, with
/// delta = r - f and d' of the pseudo-Huber distance: L = w sum over pixels of delta · (f - x) / sqrt(|delta|² + c²); the root is differentiated too.
/// Gradient reaches the student through x directly and through x_t into both denoisers, whose parameters get none.
/// Where we differ: w is SiD's omega = 1/sg[max(mean|x - r|, 1e-5)] (the paper's w(t), c and rates are not published; its code is for inference only), and c is
/// one number in units of a denoised sample at every level.
/// </summary>
public sealed class Sim(SimOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "sim";

    /// <inheritdoc/>
    public string Paper => "Luo et al. 2024, arXiv 2410.16794";

    /// <inheritdoc/>
    public string Published => "CIFAR-10: 2.06, conditional 1.96";

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
        var b = c.B;
        var step = StudentStep.Of(c, options.StudentNoise);
        var delta = step.Delta(c);
        var loss = b.SumPerSample(b.Mul(delta, step.Residual(c)));
        if (options.Distance == ScoreDistance.PseudoHuber)
        {
            var square = options.HuberC * options.HuberC * c.Task.Dimension * c.Task.NoiseScale * c.Task.NoiseScale;
            loss = b.Div(loss, b.Sqrt(b.Add(b.SumPerSample(b.Square(delta)), square)));
        }
        return b.Mul(c.BatchMean(b.Mul(SampleWeights.InverseMeanAbs(c, step.X, step.R), loss)), options.LossScale);
    }
}
