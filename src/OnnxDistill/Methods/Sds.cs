using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="Sds"/>.</summary>
public sealed record SdsOptions
{
    /// <summary>Law of the noise levels: t uniform in [0.02, 0.98] of a variance-preserving schedule.</summary>
    public NoiseLaw StudentNoise { get; init; } = NoiseLaw.VariancePreserving;
}

/// <summary>
/// Score Distillation Sampling: DreamFusion, Poole et al. 2022, arXiv 2209.14988, equation 3; g = w(t) (eps_phi(x_t; t) - eps), w = sigma_t², and the sample's gradient is g:
/// the teacher is not differentiated. In EDM's frame g = sigma / (1 + sigma²) (x - r), sigma in units of sigma_data = 0.5. There is no fake score: the student's noised
/// distribution is taken for a delta, so that it seeks modes. Its own setting is a recipe's <c>guidance</c> of 100 and particles as the student.
/// Where we differ: nothing but the frame.
/// </summary>
public sealed class Sds(SdsOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "sds";

    /// <inheritdoc/>
    public string Paper => "Poole et al. 2022, arXiv 2209.14988";

    /// <inheritdoc/>
    public string Published => "text-to-3D";

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases => [new("student", [Roles.Student], BuildStudentLoss)];

    /// <inheritdoc/>
    public JsonObject Preset => MethodPresets.ScoreDistillation(sigmaInit: 1.0);

    private Value BuildStudentLoss(LossContext c)
    {
        var b = c.B;
        var (x, label, sigma, noised) = NoisyStudent.Of(c, options.StudentNoise);
        var noisy = b.StopGradient(noised);
        var r = c.Teacher(noisy, sigma, label);
        return VariationalScore(c, x, sigma, b.Sub(x, r));
    }

    /// <summary>The loss whose gradient in x is sigma / (1 + sigma²) times a difference of denoised samples: w(t) times the difference of the noises (methods.md 3.10, 3.11).</summary>
    internal static Value VariationalScore(LossContext c, Value x, Value sigma, Value difference)
    {
        var b = c.B;
        var s = b.Div(b.PerSample(sigma, x.Shape.Rank), c.Task.NoiseScale);
        var weight = b.Div(s, b.Add(b.Square(s), 1));
        return c.BatchMean(b.SumPerSample(b.Mul(b.StopGradient(b.Mul(weight, difference)), x)));
    }
}
