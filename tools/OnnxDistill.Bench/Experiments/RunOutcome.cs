using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Diagnosis;
using OnnxDistill.Training;

namespace OnnxDistill.Bench.Experiments;

/// <summary>What a finished run leaves in its folder beside its own files.</summary>
/// <param name="RecipeText">The recipe that it was made with.</param>
/// <param name="Settings">The settings over it.</param>
/// <param name="Images">Samples seen.</param>
/// <param name="Seconds">Seconds of training.</param>
/// <param name="PeakMegabytes">Most memory of its process (VmHWM); of a run that was resumed, the largest of its processes that was not killed.</param>
internal sealed record RunOutcome(string RecipeText, string[] Settings, long Images, double Seconds, double PeakMegabytes)
{
    private const string FileName = "outcome.json", PeakFile = "peak-memory";

    /// <summary>The rows of metrics.csv: samples seen, seconds, numbers by name.</summary>
    public IReadOnlyList<(long Images, double Seconds, IReadOnlyDictionary<string, double> Metrics)> Rows { get; private init; } = [];

    /// <summary>What lies in a run's folder; null while it is not finished.</summary>
    public static RunOutcome? Read(string folder) => !File.Exists(Path.Combine(folder, FileName)) ? null
        : JsonSerializer.Deserialize<RunOutcome>(File.ReadAllText(Path.Combine(folder, FileName)), RecipeJson.Options)! with { Rows = [.. ReadRows(folder)] };

    /// <summary>The child process: makes the run, or goes on with it.</summary>
    public static int Make(string recipe, string folder, string[] settings)
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        var resume = File.Exists(Path.Combine(folder, "latest"));
        // One that ended before its first state holds nothing to go on from.
        if (!resume && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        var program = TrainingProgram.Build(RecipeLoader.Load(recipe, settings));
        var result = Trainer.Run(program, folder, resume, new SilentObserver(), stop.Token);

        var peakPath = Path.Combine(folder, PeakFile);
        var before = File.Exists(peakPath) ? double.Parse(File.ReadAllText(peakPath), CultureInfo.InvariantCulture) : 0;
        var peak = Math.Max(before, PeakMemory.Bytes() / 1e6);
        File.WriteAllText(peakPath, peak.ToString("R", CultureInfo.InvariantCulture));
        if (result.Stopped)
            return 3;
        var outcome = new RunOutcome(File.ReadAllText(recipe), settings, result.ImagesSeen, ReadRows(folder).Last().Seconds, peak);
        File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(outcome with { Rows = [] }, RecipeJson.Options));
        return 0;
    }

    private static IEnumerable<(long Images, double Seconds, IReadOnlyDictionary<string, double> Metrics)> ReadRows(string folder)
    {
        var lines = File.ReadAllLines(Path.Combine(folder, "metrics.csv")).Select(l => l.Split(',')).ToArray();
        foreach (var cells in lines.Skip(1))
        {
            var numbers = lines[0].Zip(cells, (name, cell) => KeyValuePair.Create(name, double.Parse(cell, CultureInfo.InvariantCulture))).ToDictionary();
            yield return ((long)numbers[StatsLog.ImagesSeenColumn], numbers[StatsLog.SecondsColumn], numbers);
        }
    }
}
