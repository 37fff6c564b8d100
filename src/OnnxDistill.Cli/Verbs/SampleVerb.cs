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

/// <summary>Draws samples from a generator (one step) or a teacher (EDM's Heun sampler).</summary>
internal static class SampleVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "A generator's or a teacher's ONNX file." };
        var count = new Option<int>("--count", "-n") { HelpName = "N", Description = "Number of samples.", DefaultValueFactory = _ => 64 };
        var seed = new Option<long>("--seed") { HelpName = "S", Description = "Seed of the noise; sample i depends on seed and i only.", DefaultValueFactory = _ => 0 };
        var steps = new Option<int>("--steps") { HelpName = "K", Description = "Steps of the sampler, for teachers.", DefaultValueFactory = _ => 18 };
        var label = new Option<long?>("--label") { HelpName = "CLASS", Description = "Class of every sample; without it classes go round." };
        var device = RunVerb.DeviceOption();
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "File: .png picture, .npy array, or .csv points.", DefaultValueFactory = _ => "samples.png" };
        return Verb.CreateShared("sample", "Draw samples from a generator (one step) or a teacher (Heun's method) into a picture, an .npy or a .csv.", [model, count, seed, steps, label, device, output],
            (parsed, report, ranks, _) =>
        {
            var (path, target) = (parsed.GetValue(model)!, parsed.GetValue(output)!);
            var write = Writer(target);
            var file = OnnxReader.Read(path);
            var samples = Draw(file, path, new SampleRequest(parsed.GetValue(count), parsed.GetValue(seed), parsed.GetValue(label), parsed.GetValue(steps), parsed.GetValue(device)), ranks);
            if (ranks.Rank == 0)
                write(samples);
            report.Set("samples", samples.Count);
            report.Set("file", target);
            report.Line($"{target}: {samples.Count} samples [{string.Join(", ", samples.Dims.ToArray())}]");
            return ExitCodes.Done;
        });
    }

    /// <summary>What to draw.</summary>
    internal readonly record struct SampleRequest(int Count, long Seed, long? Label, int Steps, string? Device = null);

    internal static SampleSet Draw(OnnxModel file, string path, SampleRequest request, IRankGroup ranks)
    {
        if (request.Count < 1)
            throw new UsageException($"--count: found {request.Count}, expected at least 1.");
        if (request.Steps < 1)
            throw new UsageException($"--steps: found {request.Steps}, expected at least 1; 18 is usual.");
        var device = new DeviceOptions { Device = Known(request.Device ?? "cpu"), Threads = ranks.Count == 1 ? 0 : ranks.ThreadShare };
        ShareableDevice.Require(device.Device, ranks);
        if (TeacherCard.Read(file) is { } card)
        {
            if (request.Label is null || request.Label != card.NullLabel || !card.IsConditional)
                RequireLabel(request.Label, card.Labels, "teacher");
            using var teacher = new HeunSampler(new Denoiser(file, $"'{path}'"), device);
            return teacher.Sample(request.Count, request.Seed, request.Steps, request.Label, ranks: ranks);
        }
        using var generator = new GeneratorSampler(file, device, $"'{path}'");
        RequireLabel(request.Label, generator.Labels, "generator");
        return generator.Sample(request.Count, request.Seed, request.Label, ranks: ranks);
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
    private static Action<SampleSet> Writer(string target)
    {
        Action<SampleSet> write = Path.GetExtension(target).ToLowerInvariant() switch
        {
            ".png" => samples => AtomicFile.Write(target, SamplePicture.Draw(samples, null, Path.GetFileNameWithoutExtension(target))),
            ".npy" => samples => NpyFile.Write(target, TensorData.Of(samples.Data, [samples.Count, .. samples.Dims.ToArray().Select(d => (long)d)])),
            ".csv" => samples => SampleSetCsv.Write(target, samples),
            var ending => throw new UsageException($"--output: the ending '{ending}' is not known, expected .png, .npy or .csv."),
        };
        OutputFile.Require(target);
        return samples =>
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
                write(samples);
            }
            catch (ArgumentException error) // samples of a shape that this kind of file cannot show
            {
                throw new UsageException($"--output: {error.Message} A .npy takes any shape.");
            }
        };
    }
}
