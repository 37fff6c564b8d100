using System.ComponentModel.DataAnnotations;
using OnnxDistill.Metrics;
using OnnxDistill.Recipes;

namespace OnnxDistill.Evaluation;

/// <summary>Finds out what an evaluation cannot do before anything is loaded: a run must not find out at its first snapshot.</summary>
internal static class EvaluationCheck
{
    /// <summary>Refuses references and metrics that do not fit together.</summary>
    /// <exception cref="RecipeException">A metric is not known or lacks its reference, images come without a feature extractor, or a file is missing.</exception>
    public static void Require(EvaluationOptions options)
    {
        if (options.Images.Length > 0 != options.Features.Length > 0)
        {
            throw new RecipeException($"evaluation: found {(options.Images.Length > 0 ? "images without features" : "features without images")}; "
                + "images are compared by the features of an ONNX network, so give both or neither.");
        }
        foreach (var (key, path) in new[] { ("images", options.Images), ("features", options.Features) })
        {
            if (path.Length > 0 && !Path.Exists(path))
            {
                throw new RecipeException($"There is no file or folder '{path}' (evaluation.{key}). Name another one, or leave both evaluation.images and "
                    + "evaluation.features empty, and no distance is measured.");
            }
        }
        // The command line's numbers have not been through a recipe's checks.
        if (options.FeatureInput.Validate(new ValidationContext(options.FeatureInput)).FirstOrDefault() is { } wrong)
            throw new RecipeException($"evaluation.featureInput.{wrong.ErrorMessage}");
        if (MetricName.ShortName(options.FeatureName) != options.FeatureName)
            throw new RecipeException($"evaluation.featureName: found '{options.FeatureName}', expected letters, digits and single hyphens, such as '{MetricName.ShortName(options.FeatureName)}'.");
        var given = (options.Mixture.Length > 0 ? MetricNeeds.Mixture | MetricNeeds.Reference | MetricNeeds.Features : MetricNeeds.None)
            | (options.Images.Length > 0 ? MetricNeeds.Statistics | MetricNeeds.Features : MetricNeeds.None);
        foreach (var name in options.Metrics)
        {
            if ((Metric(name, options).Needs & ~given) is not MetricNeeds.None and var missing)
            {
                throw new RecipeException($"evaluation.metrics: '{name}' needs {(missing.HasFlag(MetricNeeds.Statistics) ? "evaluation.images and evaluation.features" : "evaluation.mixture")}, "
                    + "which is not given.");
            }
        }
    }

    /// <summary>The metric of a name, whose sample count and extractor follow from the options where it does not say.</summary>
    /// <exception cref="RecipeException">It is not known, or of another extractor.</exception>
    public static IMetric Metric(string name, EvaluationOptions options, string extractor = "")
    {
        try
        {
            return MetricCatalog.Create(name, options.Samples, extractor);
        }
        catch (ArgumentException error)
        {
            throw new RecipeException($"evaluation.metrics: {error.Message}", error);
        }
    }
}
