using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Diagnosis;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>
/// What beside the recipe decides on the last bits of a run: versions, device, processor, and how sums are split over threads, lanes, rounds and ranks. A run that
/// goes on under another of these is as good, but no longer the same bits.
/// </summary>
internal static class RunEnvironment
{
    /// <summary>What it is here and now, by name.</summary>
    public static JsonObject Of(TrainingOptions training, BatchParts parts)
    {
        var device = Device.Parse(training.Device).Kind;
        return new JsonObject
        {
            ["onnxDistill"] = typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
            ["onnxRuntime"] = OrtRuntime.Version,
            ["dotNet"] = Environment.Version.ToString(),
            ["device"] = device == DeviceKind.Cpu ? "cpu" : "cuda",
            ["processor"] = Processor.Description,
            ["threadsPerSession"] = Threads(LanedPhase.ThreadsPerLane(training.Threads, parts.Lanes)),
            ["lanes"] = parts.Lanes,
            ["rounds"] = parts.Rounds,
            ["ranks"] = parts.Ranks,
        };
    }

    /// <summary>Everything that differs, as sentences.</summary>
    public static IReadOnlyList<string> Differences(JsonObject? found, JsonObject expected) =>
    [
        .. expected.Select(e => e.Key).Union(found?.Select(f => f.Key) ?? []).Where(key => !JsonNode.DeepEquals(found?[key], expected[key]))
            .Select(key => $"{key}: the state was made with {Show(found?[key])}, here it is {Show(expected[key])}"),
    ];

    // ONNX Runtime counts the physical cores itself; their number follows the processors that this process may use.
    private static string Threads(int threads) => threads > 0 ? threads.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"one a core of {Environment.ProcessorCount} processors");

    private static string Show(JsonNode? node) => node is null ? "nothing" : $"'{node}'";
}
