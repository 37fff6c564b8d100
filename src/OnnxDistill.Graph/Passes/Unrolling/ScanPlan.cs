using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Unrolling;

/// <summary>How a Scan (opset 9 and later) is unrolled, or why it cannot be.</summary>
/// <param name="Body">Its body: (states..., slices...) -> (states..., results...).</param>
/// <param name="Length">How often the body runs.</param>
/// <param name="States">Number of states.</param>
/// <param name="Refusal">Why it cannot be unrolled, or null.</param>
internal sealed record ScanPlan(OnnxGraph Body, long Length, int States, string? Refusal)
{
    /// <summary>Axis of each scanned input, from the front.</summary>
    public IReadOnlyList<int> InputAxes { get; private init; } = [];

    /// <summary>The plan of a Scan.</summary>
    public static ScanPlan Of(Node node)
    {
        var scanned = (int)node.Attributes.Int("num_scan_inputs", 0);
        var states = node.Inputs.Length - scanned;
        if (node.Attributes.FirstOrDefault(static a => a.Key == "body").Value is not OnnxGraph body || scanned < 1 || states < 0
            || body.Inputs.Count != node.Inputs.Length || body.Outputs.Count < node.Outputs.Length)
        {
            return new ScanPlan(new OnnxGraph(), 0, 0, "its body does not fit its inputs and outputs");
        }
        var axes = new List<int>();
        var lengths = new HashSet<long>();
        for (var i = 0; i < scanned; i++)
        {
            if (node.Inputs[states + i]?.KnownShape is not { } shape)
                return new ScanPlan(body, 0, states, "the shape of what it scans is not known");
            axes.Add(shape.Axis(Setting(node, "scan_input_axes", i)));
            if (!shape[axes[i]].IsKnown)
                return new ScanPlan(body, 0, states, "the length of what it scans is not known");
            lengths.Add(shape[axes[i]].Size);
        }
        if (lengths.Count > 1 || lengths.Contains(0))
            return new ScanPlan(body, 0, states, lengths.Count > 1 ? "it scans inputs of several lengths" : "it scans nothing, so that its results have no shape");
        var length = lengths.Single();
        return length * Math.Max(1, body.Nodes.Count) > ControlFlow.MostNodes
            ? new ScanPlan(body, length, states, $"{length} turns of {body.Nodes.Count} nodes are too many to unroll")
            : new ScanPlan(body, length, states, null) { InputAxes = axes };
    }

    /// <summary>The setting of one scanned input or output, 0 by default.</summary>
    public static long Setting(Node node, string name, int index) =>
        node.Attributes.Ints(name) is { } list && index < list.Length ? list[index] : 0;
}
