using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="DenoisingScoreMatching"/>.</summary>
public sealed record DenoisingScoreMatchingOptions
{
    /// <summary>CSV file of the mixture whose samples are learnt, relative to the recipe.</summary>
    [Required]
    public string Mixture { get; init; } = "";

    /// <summary>Law of the noise levels.</summary>
    public NoiseLaw Noise { get; init; } = new();
}

/// <summary>
/// Makes a teacher: a denoiser fitted to a mixture's samples by denoising score matching (Karras et al. 2022, arXiv 2206.00364). The
/// samples are drawn inside the graph, y = m_k + s_k n, so a fit is one more training graph.
/// </summary>
public sealed class DenoisingScoreMatching(DenoisingScoreMatchingOptions options) : IDistillationMethod
{
    /// <summary>Its name in recipes; the trainer's result is a denoiser instead of a generator.</summary>
    public const string MethodName = "denoising-score-matching";

    /// <inheritdoc/>
    public string Name => MethodName;

    /// <inheritdoc/>
    public string Paper => "Karras et al. 2022, arXiv 2206.00364";

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases => [new("fit", [Roles.Student], BuildLoss)];

    /// <inheritdoc/>
    public JsonObject Preset => [];

    private Value BuildLoss(LossContext c)
    {
        var b = c.B;
        var mixture = GaussianMixtureCsv.Read(options.Mixture);
        if (mixture.Weights.ToArray().Any(w => Math.Abs((w * mixture.ModeCount) - 1) > 1e-9))
            throw new RecipeException($"The mixture '{options.Mixture}' has unequal weights; a fit draws its modes uniformly.");
        if (!c.Task.DataShape.SequenceEqual([mixture.Dimension]))
        {
            throw new RecipeException($"The mixture '{options.Mixture}' has points of {mixture.Dimension} numbers, the network takes samples of the shape "
                + $"[{string.Join(", ", c.Task.DataShape)}]. Both have to agree.");
        }
        var means = Enumerable.Range(0, mixture.ModeCount).SelectMany(k => mixture.Mean(k).ToArray()).Select(m => (float)m).ToArray();
        var deviations = mixture.Stds.ToArray().Select(s => (float)s).ToArray();
        var mode = c.Index("mode", mixture.ModeCount);
        var mean = b.Gather(b.Constant(TensorData.Of(means, mixture.ModeCount, mixture.Dimension)), mode, 0);
        var deviation = b.Gather(b.Constant(TensorData.Of(deviations, mixture.ModeCount, 1)), mode, 0);
        var y = b.Add(mean, b.Mul(deviation, c.NormalLikeBatch("data_noise")));
        return FakeScoreLoss.Build(c, Roles.Student, y, null, options.Noise);
    }
}
