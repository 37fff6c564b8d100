using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="DenoisingScoreMatching"/>.</summary>
public sealed record DenoisingScoreMatchingOptions
{
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
    public bool NeedsSamples => true;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases => [new("fit", [Roles.Student], BuildLoss)];

    /// <inheritdoc/>
    public JsonObject Preset => [];

    private Value BuildLoss(LossContext c)
    {
        var (samples, label) = c.RealSamples();
        return FakeScoreLoss.Build(c, Roles.Student, samples, label is null ? null : Dropped(c, label), options.Noise, options.Augment);
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
}
