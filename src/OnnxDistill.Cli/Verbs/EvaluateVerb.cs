using System.CommandLine;
using OnnxDistill.Data.Images;
using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Io;
using OnnxDistill.Metrics;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Measures a generator, a teacher or a set of images against a reference.</summary>
internal static class EvaluateVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "A generator's or a teacher's ONNX file; or images instead of one: a folder, .zip, .tar(.gz), .npy, .npz or idx file." };
        var reference = new ReferenceWords(isRequired: true);
        var metrics = new Option<string[]>("--metric") { HelpName = "NAME", Description = $"Metrics, with their sample count if not --count (fd10k): {string.Join(", ", MetricCatalog.All.Select(static f => f.Name))}; default: the usual ones of the reference and the classifier.", DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true };
        var count = new Option<int>("--count", "-n") { HelpName = "N", Description = "Samples, when no metric says so.", DefaultValueFactory = _ => 10_000 };
        var seed = new Option<long>("--seed") { HelpName = "S", Description = "Seed of the samples, or of which images are taken of a larger set.", DefaultValueFactory = _ => 0 };
        var sampler = new SamplerWords();
        var device = RunVerb.DeviceOption();
        var statistics = new Option<string>("--write-statistics") { HelpName = "FILE", Description = "Write mean and covariance of the reference's features as an .npz that --reference reads." };
        return Verb.CreateShared("evaluate", "Measure a generator, a teacher or a set of images against a mixture (log-density, MMD, mode coverage), images in any ONNX network's features (Frechet and kernel distance, precision and recall), or by a classifier (inception score, class accuracy).",
            [model, .. reference.All, metrics, count, seed, .. sampler.All, device, statistics], (parsed, report, ranks, _) =>
        {
            var (path, written) = (parsed.GetValue(model)!, parsed.GetValue(statistics));
            if (written is not null && reference.IsMixture(parsed))
                throw new UsageException("--write-statistics: a mixture's points are compared as they are. Leave it out, or give --reference images.");
            var options = reference.Read(parsed, 0)!; // something to measure with is required
            if (written is not null)
                OutputFile.Require(written, "--write-statistics");
            using var images = ImageSources.IsSet(path) ? ImageSources.Open(new DataOptions { Images = path, Size = reference.ImageSize(parsed) }) : null;
            foreach (var note in images?.Notes ?? [])
                report.Line(note);
            if (images is not null && sampler.All.FirstOrDefault(option => parsed.GetResult(option)?.Implicit == false) is { } useless)
                throw new UsageException($"{useless.Name}: '{path}' is a set of images, which are measured as they are; leave it out.");
            // A set of images is measured whole unless it is said otherwise.
            var samples = images is not null && parsed.GetResult(count)?.Implicit != false ? images.Count : parsed.GetValue(count);
            using var evaluator = new Evaluator(options with { Samples = samples, Metrics = parsed.GetValue(metrics)! }, ranks);
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
