using System.CommandLine;
using OnnxDistill.Data;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Imaging;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;
using OnnxDistill.Training;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Draws samples from a generator (one step) or a teacher (many).</summary>
internal static class SampleVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "A generator's or a teacher's ONNX file." };
        var count = new Option<int>("--count", "-n") { HelpName = "N", Description = "Number of samples.", DefaultValueFactory = _ => 64 };
        var seed = new Option<long>("--seed") { HelpName = "S", Description = "Seed of all noise; sample i depends on seed and i only.", DefaultValueFactory = _ => 0 };
        var label = new Option<long?>("--label") { HelpName = "CLASS", Description = "Class of every sample; without it classes go round." };
        var grid = PictureLayout.Option();
        var sampler = new SamplerWords();
        var device = RunVerb.DeviceOption();
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "File: .png picture, .npy array, or .csv points.", DefaultValueFactory = _ => "samples.png" };
        return Verb.CreateShared("sample", "Draw samples from a generator (one step) or a teacher (Heun, Euler, DDIM) into a picture, an .npy or a .csv.",
            [model, count, seed, label, grid, .. sampler.All, device, output], (parsed, report, ranks, _) =>
        {
            var (path, target) = (parsed.GetValue(model)!, parsed.GetValue(output)!);
            var request = new SampleRequest(parsed.GetValue(count), parsed.GetValue(seed), sampler.Read(parsed), parsed.GetValue(device)) { Label = parsed.GetValue(label) };
            if (parsed.GetResult(grid) is not null)
                request = request with { Grid = parsed.GetValue(grid) ?? "" };
            var write = Writer(target);
            var file = OnnxReader.Read(path);
            var (samples, layout) = Draw(file, path, request, ranks);
            if (ranks.Rank == 0)
                write(samples, layout?.Columns);
            report.Set("samples", samples.Count);
            report.Set("file", target);
            report.Line($"{target}: {samples.Count} samples [{string.Join(", ", samples.Dims.ToArray())}]");
            return ExitCodes.Done;
        });
    }

    /// <summary>What to draw.</summary>
    /// <param name="Count">Number of samples, where no layout says so.</param>
    /// <param name="Seed">Seed of all noise.</param>
    /// <param name="Sampler">How a teacher is sampled.</param>
    /// <param name="Device">Where.</param>
    internal readonly record struct SampleRequest(int Count, long Seed, SamplerOptions Sampler, string? Device = null)
    {
        /// <summary>Class of every sample; null for all classes.</summary>
        public long? Label { get; init; }

        /// <summary>Rows and columns in words, see <see cref="PictureLayout.Read"/>; null for none.</summary>
        public string? Grid { get; init; }
    }

    internal static (SampleSet Samples, PictureLayout? Layout) Draw(OnnxModel file, string path, SampleRequest request, IRankGroup ranks)
    {
        if (request.Count < 1)
            throw new UsageException($"--count: found {request.Count}, expected at least 1.");
        var device = new DeviceOptions { Device = Known(request.Device ?? "cpu"), Threads = ranks.Count == 1 ? 0 : ranks.ThreadShare };
        ShareableDevice.Require(device.Device, ranks);
        if (TeacherCard.Read(file) is not { } card)
        {
            using var generator = new GeneratorSampler(file, device, $"'{path}'");
            RequireLabel(request.Label, generator.Labels, "generator");
            return Draw(request, generator.Labels, (count, label) => generator.Sample(count, request.Seed, label, ranks: ranks));
        }
        if (request.Label is null || request.Label != card.NullLabel || !card.IsConditional)
            RequireLabel(request.Label, card.Labels, "teacher");
        using var teacher = new TeacherSampler(new Denoiser(file, $"'{path}'"), device);
        return Draw(request, card.Labels, (count, label) => teacher.Sample(count, request.Seed, request.Sampler, label, ranks: ranks));
    }

    private static (SampleSet Samples, PictureLayout? Layout) Draw(SampleRequest request, int classes, Func<int, Func<int, long>?, SampleSet> sample)
    {
        PictureLayout? layout = request.Grid is null ? null : PictureLayout.Read(request.Grid, request.Count, classes);
        Func<int, long>? label = request.Label is { } one ? _ => one : layout is { } grid && classes > 0 ? i => grid.ClassOf(i, classes) : null;
        return (sample(layout is { } all ? all.Rows * all.Columns : request.Count, label), layout);
    }

    private static string Known(string device)
    {
        try
        {
            return Device.Parse(device).ToString();
        }
        catch (FormatException error)
        {
            throw new UsageException($"--device: {error.Message}");
        }
    }

    private static void RequireLabel(long? label, int labels, string what)
    {
        if (label is { } asked && (asked < 0 || asked >= labels))
            throw new UsageException($"--label: found {asked}, expected {(labels == 0 ? $"none, the {what} takes no classes" : $"0 to {labels - 1}")}.");
    }

    // Known before anything is computed, so that a wrong ending or place costs no time.
    private static Action<SampleSet, int?> Writer(string target)
    {
        Action<SampleSet, int?> write = Path.GetExtension(target).ToLowerInvariant() switch
        {
            ".png" => (samples, columns) => AtomicFile.Write(target, SamplePicture.Draw(samples, null, Path.GetFileNameWithoutExtension(target), columns)),
            ".npy" => (samples, _) => NpyFile.Write(target, TensorData.Of(samples.Data, [samples.Count, .. samples.Dims.ToArray().Select(d => (long)d)])),
            ".csv" => (samples, _) => SampleSetCsv.Write(target, samples),
            var ending => throw new UsageException($"--output: the ending '{ending}' is not known, expected .png, .npy or .csv."),
        };
        OutputFile.Require(target);
        return (samples, columns) =>
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
                write(samples, columns);
            }
            catch (ArgumentException error) // samples of a shape that this kind of file cannot show
            {
                throw new UsageException($"--output: {error.Message} A .npy takes any shape.");
            }
        };
    }
}
