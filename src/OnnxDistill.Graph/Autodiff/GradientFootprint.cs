using System.Globalization;
using OnnxDistill.Graph.Memory;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff;

/// <summary>How large a graph with gradients is, from its static shapes: an estimate of what a step must hold, not of what a runtime allocates.</summary>
/// <param name="ForwardNodes">Nodes that the forward outputs need.</param>
/// <param name="BackwardNodes">All other nodes.</param>
/// <param name="ForwardBytes">What the forward nodes write in all.</param>
/// <param name="BackwardBytes">What the other nodes write in all.</param>
/// <param name="ActivationBytes">Results of forward nodes that the backward pass reads: they have to be held until then.</param>
/// <param name="GradientBytes">The gradients that leave the graph.</param>
public sealed record GradientFootprint(int ForwardNodes, int BackwardNodes, long ForwardBytes, long BackwardBytes, long ActivationBytes, long GradientBytes)
{
    /// <summary>The footprint of a graph; values of unknown shape count as nothing.</summary>
    /// <param name="graph">Forward and backward in one graph.</param>
    /// <param name="forwardOutputs">The outputs that are no gradients.</param>
    public static GradientFootprint Of(OnnxGraph graph, IReadOnlyCollection<Value> forwardOutputs)
    {
        var needed = forwardOutputs.ToHashSet();
        var forward = new HashSet<Node>();
        for (var i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            var node = graph.Nodes[i];
            if (!node.Outputs.Any(o => o is not null && needed.Contains(o)))
                continue;
            forward.Add(node);
            needed.UnionWith(node.Inputs.OfType<Value>());
        }
        var backward = graph.Nodes.Where(n => !forward.Contains(n)).ToList();
        var held = backward.SelectMany(static n => n.Inputs).OfType<Value>().Select(Storage.Owner)
            .Where(v => v.Producer is { } producer && forward.Contains(producer)).ToHashSet();
        return new GradientFootprint(forward.Count, backward.Count, Written(forward), Written(backward), held.Sum(Storage.Bytes),
            graph.Outputs.Where(o => !forwardOutputs.Contains(o)).Sum(Storage.Bytes));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"forward {ForwardNodes:N0} nodes, {Size(ForwardBytes)} written; backward {BackwardNodes:N0} nodes, {Size(BackwardBytes)}; held in between {Size(ActivationBytes)}; gradients {Size(GradientBytes)}");

    private static long Written(IEnumerable<Node> nodes) => nodes.Where(static n => !Storage.IsView(n)).SelectMany(static n => n.Outputs).OfType<Value>().Sum(Storage.Bytes);

    private static string Size(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{(bytes < 1_000_000 ? bytes / 1e3 : bytes / 1e6):N1} {(bytes < 1_000_000 ? "kB" : "MB")}");
}
