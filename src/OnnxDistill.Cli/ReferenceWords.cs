using System.CommandLine;
using OnnxDistill.Evaluation;
using OnnxDistill.Recipes;

namespace OnnxDistill.Cli;

/// <summary>The words that say what samples are compared with and in which network's features, the same for every verb that measures.</summary>
/// <param name="isRequired">Whether there has to be a reference.</param>
internal sealed class ReferenceWords(bool isRequired)
{
    private readonly Option<string> _reference = new("--reference")
    {
        HelpName = "FILE",
        Description = "What to compare with: a mixture's .csv, images (a folder, .zip, .tar(.gz), .npy, .npz or idx file), or the .npz of their features' mu and sigma.",
        Required = isRequired,
    };
    private readonly Option<string> _features = new("--features") { HelpName = "MODEL[:TENSOR]", Description = "ONNX file of a feature extractor, for images, and its tensor that holds the features; default its first output." };
    private readonly Option<string> _tensor = new("--feature-tensor") { HelpName = "NAME", Description = "That tensor, by itself." };
    private readonly Option<string> _name = new("--feature-name") { HelpName = "NAME", Description = "The extractor's short name in the metrics' names; default its file's." };
    private readonly Option<int> _crop = new("--feature-crop") { HelpName = "PIXELS", Description = "Pixels cut from each side of a sample first.", DefaultValueFactory = _ => 0 };
    private readonly Option<double[]> _mean = new("--feature-mean") { HelpName = "X", Description = "Subtracted from pixels in [0, 1]: one number, or one a channel.", DefaultValueFactory = _ => [0], AllowMultipleArgumentsPerToken = true };
    private readonly Option<double[]> _deviation = new("--feature-deviation") { HelpName = "X", Description = "Pixels are divided by it after that: one number, or one a channel.", DefaultValueFactory = _ => [1], AllowMultipleArgumentsPerToken = true };
    private readonly Option<int> _size = new("--image-size") { HelpName = "PIXELS", Description = "Side that images of files are cropped and resized to; 0 leaves them as they are.", DefaultValueFactory = _ => 0 };

    /// <summary>The options to list.</summary>
    public IEnumerable<Option> All => [_reference, _features, _tensor, _name, _crop, _mean, _deviation, _size];

    /// <summary>Side that images of files are brought to.</summary>
    public int ImageSize(ParseResult parsed) => parsed.GetValue(_size);

    /// <summary>Whether the reference is a mixture.</summary>
    public bool IsMixture(ParseResult parsed) => Path.GetExtension(parsed.GetValue(_reference) ?? "").Equals(".csv", StringComparison.OrdinalIgnoreCase);

    /// <summary>What was said; null when nothing was.</summary>
    /// <param name="parsed">The words.</param>
    /// <param name="samples">Samples that metrics are of, when they do not say so.</param>
    /// <exception cref="UsageException">It does not fit together.</exception>
    public EvaluationOptions? Read(ParseResult parsed, int samples)
    {
        if (parsed.GetValue(_reference) is not { } target)
        {
            return All.FirstOrDefault(o => parsed.GetResult(o)?.Implicit == false) is not { } alone ? null
                : throw new UsageException($"{alone.Name} without --reference: there is nothing to compare with. Give images or their statistics.");
        }
        var isMixture = IsMixture(parsed);
        if (!isMixture && parsed.GetValue(_features) is null)
            throw new UsageException("--features: nothing found; images are compared by the features of an ONNX network.");
        if (isMixture && (parsed.GetValue(_features) ?? parsed.GetValue(_tensor)) is not null)
            throw new UsageException("--features and --feature-tensor: a mixture's points are compared as they are. Leave them out, or give --reference images.");
        var source = FeatureSource.Parse(parsed.GetValue(_features) ?? "");
        return new EvaluationOptions
        {
            Samples = samples,
            Mixture = isMixture ? target : "",
            Images = isMixture ? "" : target,
            ImageSize = parsed.GetValue(_size),
            Features = source.Path,
            FeatureTensor = parsed.GetValue(_tensor) ?? source.Tensor,
            FeatureName = parsed.GetValue(_name) ?? "",
            FeatureInput = new FeatureInput { Crop = parsed.GetValue(_crop), Mean = parsed.GetValue(_mean)!, Deviation = parsed.GetValue(_deviation)! },
        };
    }
}
