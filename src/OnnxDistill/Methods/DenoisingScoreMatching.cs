using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="DenoisingScoreMatching"/>.</summary>
public sealed record DenoisingScoreMatchingOptions
{
    /// <summary>CSV file of a mixture whose samples are learnt, relative to the recipe, instead of the recipe's images.</summary>
    public string Mixture { get; init; } = "";

    /// <summary>Law of the noise levels.</summary>
    public NoiseLaw Noise { get; init; } = new();

    /// <summary>How the images are augmented; the network has to take augmentation labels.</summary>
    public AugmentOptions Augment { get; init; } = new();

    /// <summary>Fraction of images that are shown without their class, so that the teacher can be guided (Ho and Salimans 2022, arXiv 2207.12598). A fresh network's
    /// label for "no class" is the number after the last.</summary>
    [Range(0, 1)]
    public double LabelDropout { get; init; }
}

/// <summary>
/// Makes a teacher: a denoiser fitted to the recipe's images, or to a mixture's samples, by denoising score matching (Karras et al. 2022, arXiv 2206.00364).
/// A mixture's samples are drawn inside the graph, y = m_k + s_k n.
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
    public bool NeedsTeacher => false;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases => [new("fit", [Roles.Student], BuildLoss)];

    /// <inheritdoc/>
    public JsonObject Preset => [];

    private Value BuildLoss(LossContext c)
    {
        if (options.Mixture.Length > 0)
            return FakeScoreLoss.Build(c, Roles.Student, MixtureSamples(c), null, options.Noise, options.Augment);
        var (images, label) = c.RealImages();
        return FakeScoreLoss.Build(c, Roles.Student, images, label is null ? null : Dropped(c, label), options.Noise, options.Augment);
    }

    private Value Dropped(LossContext c, Value label)
    {
        if (options.LabelDropout == 0)
            return label;
        if (c.Task.NullLabel < 0)
        {
            throw new RecipeException(string.Create(CultureInfo.InvariantCulture, $"options.labelDropout: found {options.LabelDropout}, but the network in 'initial' has no label for \"no class\". ")
                + "Set it to 0, start from a network that has one, or import it with --null-label.");
        }
        var b = c.B;
        var none = b.Constant(TensorData.Of([(long)c.Task.NullLabel], 1));
        return b.Where(b.Less(c.UniformPerSample("label_drop"), b.Scalar(options.LabelDropout)), none, label);
    }

    private Value MixtureSamples(LossContext c)
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
        return b.Add(mean, b.Mul(deviation, c.NormalLikeBatch("data_noise")));
    }
}
