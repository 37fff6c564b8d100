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
        if (options.Classifier.Length > 0 && options.Mixture.Length > 0)
            throw new RecipeException("evaluation.classifier: found beside a mixture; a classifier judges images, not points. Leave one of them out.");
        (string Key, string Path, string Cure)[] files =
        [
            ("images", options.Images, "leave both evaluation.images and evaluation.features empty, and no distance is measured"),
            ("features", options.Features, "leave both evaluation.images and evaluation.features empty, and no distance is measured"),
            ("classifier", options.Classifier, "leave evaluation.classifier empty"),
        ];
        foreach (var (key, path, cure) in files)
        {
            if (path.Length > 0 && !Path.Exists(path))
                throw new RecipeException($"There is no file or folder '{path}' (evaluation.{key}). Name another one, or {cure}.");
        }
        // The command line's numbers have not been through a recipe's checks.
        foreach (var (key, input) in new[] { ("featureInput", options.FeatureInput), ("classifierInput", options.ClassifierInput) })
        {
            if (input?.Validate(new ValidationContext(input)).FirstOrDefault() is { } wrong)
                throw new RecipeException($"evaluation.{key}.{wrong.ErrorMessage}");
        }
        foreach (var (key, name) in new[] { ("featureName", options.FeatureName), ("classifierName", options.ClassifierName) })
        {
            if (MetricName.ShortName(name) != name)
                throw new RecipeException($"evaluation.{key}: found '{name}', expected letters, digits and single hyphens, such as '{MetricName.ShortName(name)}'.");
        }
        var given = MetricNeeds.None;
        if (options.Mixture.Length > 0)
            given |= MetricNeeds.Mixture | MetricNeeds.Reference | MetricNeeds.Features | MetricNeeds.ReferenceFeatures;
        if (options.Images.Length > 0)
            given |= MetricNeeds.Statistics | MetricNeeds.Features | (StatisticsFile.IsOne(options.Images) ? MetricNeeds.None : MetricNeeds.ReferenceFeatures);
        if (options.Classifier.Length > 0)
            given |= MetricNeeds.Classes | MetricNeeds.Labels;
        foreach (var name in options.Metrics)
        {
            if ((Metric(name, options).Needs & ~given) is not MetricNeeds.None and var missing)
                throw new RecipeException($"evaluation.metrics: '{name}' needs {Missing(missing, options)}.");
        }
    }

    private static string Missing(MetricNeeds missing, EvaluationOptions options) => missing switch
    {
        _ when missing.HasFlag(MetricNeeds.Classes) => "evaluation.classifier, which is not given",
        _ when missing.HasFlag(MetricNeeds.ReferenceFeatures) && options.Images.Length > 0 => $"the reference's images, found their statistics, '{options.Images}'",
        _ when missing.HasFlag(MetricNeeds.Statistics) || missing.HasFlag(MetricNeeds.ReferenceFeatures) => "evaluation.images and evaluation.features, which are not given",
        _ => "evaluation.mixture, which is not given",
    };

    /// <summary>The metric of a name, whose sample count and extractor follow from the options where it does not say.</summary>
    /// <exception cref="RecipeException">It is not known, or of another extractor.</exception>
    public static IMetric Metric(string name, EvaluationOptions options, string extractor = "", string classifier = "")
    {
        try
        {
            return MetricCatalog.Create(name, options.Samples, extractor, classifier);
        }
        catch (ArgumentException error)
        {
            throw new RecipeException($"evaluation.metrics: {error.Message}", error);
        }
    }
}
