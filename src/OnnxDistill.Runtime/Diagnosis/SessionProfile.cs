using System.Text.Json;

namespace OnnxDistill.Runtime.Diagnosis;

/// <summary>What one node of a session took.</summary>
/// <param name="Operator">The operator that really ran, fusions of ONNX Runtime included.</param>
/// <param name="Name">The node's name; one that ONNX Runtime made starts as it likes.</param>
/// <param name="Milliseconds">Median over the runs.</param>
/// <param name="OutputShape">Shape of its first output, such as <c>[32,64,16,16]</c>; empty when the profile does not tell.</param>
public sealed record NodeTime(string Operator, string Name, double Milliseconds, string OutputShape);

/// <summary>What all nodes of one operator took together.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Nodes">How many there are.</param>
/// <param name="Milliseconds">Sum of the nodes' medians.</param>
public sealed record OperatorTime(string Operator, int Nodes, double Milliseconds);

/// <summary>Where a session's time went, from the trace that ONNX Runtime writes (<c>SessionOptions.EnableProfiling</c>).</summary>
public sealed class SessionProfile
{
    private const string KernelSuffix = "_kernel_time";

    private SessionProfile(List<NodeTime> nodes) => Nodes = nodes;

    /// <summary>Every node, dearest first.</summary>
    public IReadOnlyList<NodeTime> Nodes { get; }

    /// <summary>Every operator, dearest first.</summary>
    public IEnumerable<OperatorTime> Operators => Nodes.GroupBy(n => n.Operator)
        .Select(g => new OperatorTime(g.Key, g.Count(), g.Sum(n => n.Milliseconds))).OrderByDescending(o => o.Milliseconds);

    /// <summary>Milliseconds of a run's nodes together; what lies between them is not in it.</summary>
    public double Milliseconds => Nodes.Sum(n => n.Milliseconds);

    /// <summary>Reads a trace.</summary>
    /// <param name="path">The JSON file.</param>
    /// <param name="warmUp">First runs of each node that do not count.</param>
    public static SessionProfile Read(string path, int warmUp = 0)
    {
        using var trace = JsonDocument.Parse(File.ReadAllBytes(path));
        // A median a node, not a sum: sums would hold whatever else the machine did meanwhile.
        return new SessionProfile([.. trace.RootElement.EnumerateArray()
            .Where(e => e.GetProperty("cat").GetString() == "Node" && e.GetProperty("name").GetString()!.EndsWith(KernelSuffix, StringComparison.Ordinal))
            .GroupBy(e => (Index: e.GetProperty("args").TryGetProperty("node_index", out var index) ? index.GetString() : "", Name: e.GetProperty("name").GetString()!))
            .Select(g =>
            {
                var runs = g.Skip(g.Count() > warmUp ? warmUp : 0).ToList();
                var arguments = runs[0].GetProperty("args");
                return new NodeTime(arguments.GetProperty("op_name").GetString()!, g.Key.Name[..^KernelSuffix.Length],
                    Median([.. runs.Select(e => e.GetProperty("dur").GetDouble() / 1000)]), OutputShape(arguments));
            }).OrderByDescending(n => n.Milliseconds)]);
    }

    // "output_type_shape": [{"float":[32,64,16,16]}, ...]
    private static string OutputShape(JsonElement arguments) =>
        arguments.TryGetProperty("output_type_shape", out var outputs) && outputs.ValueKind == JsonValueKind.Array && outputs.GetArrayLength() > 0
            && outputs[0].EnumerateObject().FirstOrDefault() is { Value.ValueKind: JsonValueKind.Array } first
            ? $"[{string.Join(',', first.Value.EnumerateArray().Select(d => d.GetRawText()))}]" : "";

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
