using System.CommandLine;
using OnnxDistill.Evaluation;
using OnnxDistill.Recipes;

namespace OnnxDistill.Cli;

/// <summary>The words that say what samples are compared with, in which network's features, and which classifier judges them; the same for every verb that measures.</summary>
/// <param name="isRequired">Whether there has to be a reference or a classifier.</param>
internal sealed class ReferenceWords(bool isRequired)
{
    private readonly Option<string> _reference = new("--reference")
    {
        HelpName = "FILE",
        Description = "What to compare with: a mixture's .csv, images (a folder, .zip, .tar(.gz), .npy, .npz or idx file), or the .npz of their features' mu and sigma.",
    };
    private readonly Option<string> _features = new("--features") { HelpName = "MODEL[:TENSOR]", Description = "ONNX file of a feature extractor, for images, and its tensor that holds the features; default its first output." };
    private readonly Option<string> _tensor = new("--feature-tensor") { HelpName = "NAME", Description = "That tensor, by itself." };
    private readonly Option<string> _name = new("--feature-name") { HelpName = "NAME", Description = "The extractor's short name in the metrics' names; default its file's." };
    private readonly Option<int> _crop = new("--feature-crop") { HelpName = "PIXELS", Description = "Pixels cut from each side of a sample first.", DefaultValueFactory = _ => 0 };
    private readonly Option<double[]> _mean = new("--feature-mean") { HelpName = "X", Description = "Subtracted from pixels in [0, 1]: one number, or one a channel.", DefaultValueFactory = _ => [0], AllowMultipleArgumentsPerToken = true };
    private readonly Option<double[]> _deviation = new("--feature-deviation") { HelpName = "X", Description = "Pixels are divided by it after that: one number, or one a channel.", DefaultValueFactory = _ => [1], AllowMultipleArgumentsPerToken = true };
    private readonly Option<string> _classifier = new("--classifier") { HelpName = "MODEL[:TENSOR]", Description = "ONNX file of a classifier, for inception score and class accuracy, and its tensor of classes (probabilities, their logarithms or logits); takes images as the extractor does." };
    private readonly Option<string> _classifierName = new("--classifier-name") { HelpName = "NAME", Description = "The classifier's short name in the metrics' names; default its file's." };
    private readonly Option<int> _size = new("--image-size") { HelpName = "PIXELS", Description = "Side that images of files are cropped and resized to; 0 leaves them as they are.", DefaultValueFactory = _ => 0 };

    /// <summary>The options to list.</summary>
    public IEnumerable<Option> All => [_reference, _features, _tensor, _name, _crop, _mean, _deviation, _classifier, _classifierName, _size];

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
        var (target, classifier) = (parsed.GetValue(_reference), FeatureSource.Parse(parsed.GetValue(_classifier) ?? ""));
        if (target is null && isRequired && classifier.Path.Length == 0)
            throw new UsageException("--reference: nothing found, expected a mixture's .csv, images or their statistics; or --classifier, which needs none of them.");
        Option[] compared = [_features, _tensor, _name];
        if (target is null && (classifier.Path.Length > 0 ? compared : All).FirstOrDefault(o => parsed.GetResult(o)?.Implicit == false) is { } alone)
            throw new UsageException($"{alone.Name} without --reference: there is nothing to compare with. Give images or their statistics.");
        if (target is null && classifier.Path.Length == 0)
            return null;
        var isMixture = IsMixture(parsed);
        if (target is not null && !isMixture && parsed.GetValue(_features) is null)
            throw new UsageException("--features: nothing found; images are compared by the features of an ONNX network.");
        if (isMixture && (parsed.GetValue(_features) ?? parsed.GetValue(_tensor)) is not null)
            throw new UsageException("--features and --feature-tensor: a mixture's points are compared as they are. Leave them out, or give --reference images.");
        var source = FeatureSource.Parse(parsed.GetValue(_features) ?? "");
        return new EvaluationOptions
        {
            Samples = samples,
            Mixture = isMixture ? target! : "",
            Images = isMixture ? "" : target ?? "",
            ImageSize = parsed.GetValue(_size),
            Features = source.Path,
            FeatureTensor = parsed.GetValue(_tensor) ?? source.Tensor,
            FeatureName = parsed.GetValue(_name) ?? "",
            FeatureInput = new FeatureInput { Crop = parsed.GetValue(_crop), Mean = parsed.GetValue(_mean)!, Deviation = parsed.GetValue(_deviation)! },
            Classifier = classifier.Path,
            ClassifierTensor = classifier.Tensor,
            ClassifierName = parsed.GetValue(_classifierName) ?? "",
        };
    }
}
