using System.CommandLine;
using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Io;
using OnnxDistill.Recipes;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Measures a generator or a teacher against a reference.</summary>
internal static class EvaluateVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "A generator's or a teacher's ONNX file." };
        var reference = new Option<string>("--reference") { HelpName = "FILE", Description = "What to compare with: a mixture's .csv, or an idx file of images.", Required = true };
        var metrics = new Option<string[]>("--metric") { HelpName = "NAME", Description = "Metric with its sample count: logp10k, mmd10k, coverage10k, fid1k; default: all that the reference allows.", DefaultValueFactory = _ => [] };
        var count = new Option<int>("--count", "-n") { HelpName = "N", Description = "Samples, when no metric says so.", DefaultValueFactory = _ => 10_000 };
        var seed = new Option<long>("--seed") { HelpName = "S", Description = "Seed of the samples.", DefaultValueFactory = _ => 0 };
        var sampler = new SamplerWords();
        var device = RunVerb.DeviceOption();
        var features = new Option<string>("--features") { HelpName = "FILE", Description = "ONNX file of a feature extractor, for images." };
        var tensor = new Option<string>("--feature-tensor") { HelpName = "NAME", Description = "Its tensor that holds the features; default its first output." };
        var crop = new Option<int>("--feature-crop") { HelpName = "PIXELS", Description = "Pixels cut from each side of a sample first.", DefaultValueFactory = _ => 0 };
        var mean = new Option<double>("--feature-mean") { HelpName = "X", Description = "Subtracted from pixels in [0, 1].", DefaultValueFactory = _ => 0 };
        var deviation = new Option<double>("--feature-deviation") { HelpName = "X", Description = "Pixels are divided by it after that.", DefaultValueFactory = _ => 1 };
        return Verb.CreateShared("evaluate", "Measure a generator or a teacher against a mixture (log-density, MMD, mode coverage) or images (Frechet distance in any ONNX network's features).",
            [model, reference, metrics, count, seed, .. sampler.All, device, features, tensor, crop, mean, deviation], (parsed, report, ranks, _) =>
        {
            var (path, target) = (parsed.GetValue(model)!, parsed.GetValue(reference)!);
            var isMixture = Path.GetExtension(target).Equals(".csv", StringComparison.OrdinalIgnoreCase);
            if (!isMixture && parsed.GetValue(features) is null)
                throw new UsageException("--features: nothing found; images are compared by the features of an ONNX network.");
            if (isMixture && (parsed.GetValue(features) ?? parsed.GetValue(tensor)) is not null)
                throw new UsageException("--features and --feature-tensor: a mixture's points are compared as they are. Leave them out, or give --reference an idx file of images.");
            var file = OnnxReader.Read(path);
            using var evaluator = new Evaluator(new EvaluationOptions
            {
                Samples = parsed.GetValue(count),
                Metrics = parsed.GetValue(metrics)!,
                Mixture = isMixture ? target : "",
                Images = isMixture ? "" : target,
                Features = parsed.GetValue(features) ?? "",
                FeatureTensor = parsed.GetValue(tensor) ?? "",
                FeatureInput = new FeatureInput { Crop = parsed.GetValue(crop), Mean = parsed.GetValue(mean), Deviation = parsed.GetValue(deviation) },
            }, ranks);
            var (samples, _) = SampleVerb.Draw(file, path, new(evaluator.SampleCount, parsed.GetValue(seed), sampler.Read(parsed), parsed.GetValue(device)), ranks);
            var numbers = evaluator.Measure(samples);
            report.Set("metrics", numbers);
            RunLines.MetricsTable(report, "metric", numbers);
            return ExitCodes.Done;
        });
    }
}
