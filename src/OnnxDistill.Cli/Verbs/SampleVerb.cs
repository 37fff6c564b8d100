using System.CommandLine;
using OnnxDistill.Data;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Imaging;
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
        var count = new Option<int>("--count", "-n") { Description = "Number of samples.", DefaultValueFactory = _ => 64 };
        var seed = new Option<long>("--seed") { Description = "Seed of the noise; sample i depends on seed and i only.", DefaultValueFactory = _ => 0 };
        var steps = new Option<int>("--steps") { Description = "Steps of the sampler, for teachers.", DefaultValueFactory = _ => 18 };
        var label = new Option<long?>("--label") { Description = "Class of every sample; without it classes go round." };
        var output = new Option<string>("--output", "-o") { Description = "File: .png picture, .npy array, or .csv points.", DefaultValueFactory = _ => "samples.png" };
        return Verb.Create("sample", "Draw samples from a generator (one step) or a teacher (Heun's method).", [model, count, seed, steps, label, output],
            (parsed, report, _) =>
        {
            var (path, target) = (parsed.GetValue(model)!, parsed.GetValue(output)!);
            var write = Writer(target);
            var file = OnnxReader.Read(path);
            var samples = Draw(file, path, new SampleRequest(parsed.GetValue(count), parsed.GetValue(seed), parsed.GetValue(label), parsed.GetValue(steps)));
            write(samples);
            report.Set("samples", samples.Count);
            report.Set("file", target);
            report.Line($"{target}: {samples.Count} samples [{string.Join(", ", samples.Dims.ToArray())}]");
            return ExitCodes.Done;
        });
    }

    /// <summary>What to draw.</summary>
    internal readonly record struct SampleRequest(int Count, long Seed, long? Label, int Steps);

    internal static SampleSet Draw(OnnxModel file, string path, SampleRequest request)
    {
        if (request.Count < 1)
            throw new UsageException($"--count: found {request.Count}, expected at least 1.");
        if (TeacherCard.Read(file) is not null)
        {
            using var teacher = new HeunSampler(new Denoiser(file, $"'{path}'"));
            return teacher.Sample(request.Count, request.Seed, request.Steps, request.Label);
        }
        using var generator = new GeneratorSampler(file, what: $"'{path}'");
        if (request.Label is { } label && (label < 0 || label >= generator.Labels))
            throw new UsageException($"--label: found {label}, expected {(generator.Labels == 0 ? "none, the generator takes no classes" : $"0 to {generator.Labels - 1}")}.");
        return generator.Sample(request.Count, request.Seed, request.Label);
    }

    // Known before anything is computed, so that a wrong ending costs no time.
    private static Action<SampleSet> Writer(string target) => Path.GetExtension(target).ToLowerInvariant() switch
    {
        ".png" => samples => AtomicFile.Write(target, SamplePicture.Draw(samples, null, Path.GetFileNameWithoutExtension(target))),
        ".npy" => samples => NpyFile.Write(target, TensorData.Of(samples.Data, [samples.Count, .. samples.Dims.ToArray().Select(d => (long)d)])),
        ".csv" => samples => SampleSetCsv.Write(target, samples),
        var ending => throw new UsageException($"--output: the ending '{ending}' is not known, expected .png, .npy or .csv."),
    };
}
