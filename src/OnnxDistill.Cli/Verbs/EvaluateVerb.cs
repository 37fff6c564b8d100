using System.CommandLine;
using OnnxDistill.Data.Images;
using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Io;
using OnnxDistill.Metrics;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Measures a generator, a teacher or a set of images against a reference.</summary>
internal static class EvaluateVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "A generator's or a teacher's ONNX file; or images instead of one: a folder, .zip, .tar(.gz), .npy, .npz or idx file." };
        var reference = new Option<string>("--reference") { HelpName = "FILE", Description = "What to compare with: a mixture's .csv, images (a folder, .zip, .tar(.gz), .npy, .npz or idx file), or the .npz of their features' mu and sigma.", Required = true };
        var metrics = new Option<string[]>("--metric") { HelpName = "NAME", Description = "Metric, with its sample count if not --count: fd, fd10k, logp10k, mmd10k, coverage10k; default: all that the reference allows.", DefaultValueFactory = _ => [] };
        var count = new Option<int>("--count", "-n") { HelpName = "N", Description = "Samples, when no metric says so.", DefaultValueFactory = _ => 10_000 };
        var seed = new Option<long>("--seed") { HelpName = "S", Description = "Seed of the samples, or of which images are taken of a larger set.", DefaultValueFactory = _ => 0 };
        var sampler = new SamplerWords();
        var device = RunVerb.DeviceOption();
        var features = new Option<string>("--features") { HelpName = "MODEL[:TENSOR]", Description = "ONNX file of a feature extractor, for images, and its tensor that holds the features; default its first output." };
        var tensor = new Option<string>("--feature-tensor") { HelpName = "NAME", Description = "That tensor, by itself." };
        var name = new Option<string>("--feature-name") { HelpName = "NAME", Description = "The extractor's short name in the metrics' names; default its file's." };
        var crop = new Option<int>("--feature-crop") { HelpName = "PIXELS", Description = "Pixels cut from each side of a sample first.", DefaultValueFactory = _ => 0 };
        var mean = new Option<double[]>("--feature-mean") { HelpName = "X", Description = "Subtracted from pixels in [0, 1]: one number, or one a channel.", DefaultValueFactory = _ => [0], AllowMultipleArgumentsPerToken = true };
        var deviation = new Option<double[]>("--feature-deviation") { HelpName = "X", Description = "Pixels are divided by it after that: one number, or one a channel.", DefaultValueFactory = _ => [1], AllowMultipleArgumentsPerToken = true };
        var size = new Option<int>("--image-size") { HelpName = "PIXELS", Description = "Side that images of files are cropped and resized to; 0 leaves them as they are.", DefaultValueFactory = _ => 0 };
        var statistics = new Option<string>("--write-statistics") { HelpName = "FILE", Description = "Write mean and covariance of the reference's features as an .npz that --reference reads." };
        return Verb.CreateShared("evaluate", "Measure a generator, a teacher or a set of images against a mixture (log-density, MMD, mode coverage) or images (Frechet distance in any ONNX network's features).",
            [model, reference, metrics, count, seed, .. sampler.All, device, features, tensor, name, crop, mean, deviation, size, statistics], (parsed, report, ranks, _) =>
        {
            var (path, target, written) = (parsed.GetValue(model)!, parsed.GetValue(reference)!, parsed.GetValue(statistics));
            var isMixture = Path.GetExtension(target).Equals(".csv", StringComparison.OrdinalIgnoreCase);
            if (!isMixture && parsed.GetValue(features) is null)
                throw new UsageException("--features: nothing found; images are compared by the features of an ONNX network.");
            if (isMixture && (parsed.GetValue(features) ?? parsed.GetValue(tensor) ?? written) is not null)
                throw new UsageException("--features, --feature-tensor and --write-statistics: a mixture's points are compared as they are. Leave them out, or give --reference images.");
            if (written is not null)
                OutputFile.Require(written, "--write-statistics");
            var source = FeatureSource.Parse(parsed.GetValue(features) ?? "");
            using var images = ImageSources.IsSet(path) ? ImageSources.Open(new DataOptions { Images = path, Size = parsed.GetValue(size) }) : null;
            foreach (var note in images?.Notes ?? [])
                report.Line(note);
            if (images is not null && sampler.All.FirstOrDefault(option => parsed.GetResult(option)?.Implicit == false) is { } useless)
                throw new UsageException($"{useless.Name}: '{path}' is a set of images, which are measured as they are; leave it out.");
            // A set of images is measured whole unless it is said otherwise.
            var samples = images is not null && parsed.GetResult(count)?.Implicit != false ? images.Count : parsed.GetValue(count);
            using var evaluator = new Evaluator(new EvaluationOptions
            {
                Samples = samples,
                Metrics = parsed.GetValue(metrics)!,
                Mixture = isMixture ? target : "",
                Images = isMixture ? "" : target,
                ImageSize = parsed.GetValue(size),
                Features = source.Path,
                FeatureTensor = parsed.GetValue(tensor) ?? source.Tensor,
                FeatureName = parsed.GetValue(name) ?? "",
                FeatureInput = new FeatureInput { Crop = parsed.GetValue(crop), Mean = parsed.GetValue(mean)!, Deviation = parsed.GetValue(deviation)! },
            }, ranks);
            if (evaluator.SampleCount == 0)
                throw new UsageException($"--count: found {samples}, expected at least 2: one sample has no spread.");
            var numbers = images is not null ? evaluator.Measure(images, parsed.GetValue(seed))
                : evaluator.Measure(SampleVerb.Draw(OnnxReader.Read(path), path, new(evaluator.SampleCount, parsed.GetValue(seed), sampler.Read(parsed), parsed.GetValue(device)), ranks).Samples);
            WriteStatistics(written, evaluator, report, ranks);
            report.Set("metrics", numbers);
            RunLines.MetricsTable(report, "metric", numbers);
            return ExitCodes.Done;
        });
    }

    private static void WriteStatistics(string? path, Evaluator evaluator, Report report, IRankGroup ranks)
    {
        if (path is null || evaluator.Statistics is not { } statistics)
            return;
        if (ranks.Rank == 0)
            StatisticsFile.Write(path, statistics);
        report.Set("statistics", path);
        report.Line($"{path}: mean and covariance of {statistics.Dimension} features over {statistics.Count} images");
    }
}
