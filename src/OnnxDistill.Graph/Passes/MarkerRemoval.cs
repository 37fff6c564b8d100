using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>
/// before: op(StopGradient(x)), op(x) → after: op(x), op(x). Only for graphs that are not differentiated any more: there a marker is no more
/// than another name of its value, and keeps equal expressions apart. A marker that is an output stays (the writer renames its value).
/// </summary>
public sealed class MarkerRemoval : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "stop-gradient markers";

    /// <inheritdoc/>
    public int Run(OnnxGraph graph)
    {
        var outputs = graph.Outputs.ToHashSet();
        var substitution = new Substitution();
        var kept = new List<Node>(graph.Nodes.Count);
        foreach (var node in graph.Nodes)
        {
            substitution.Apply(node);
            if (StopGradientMarker.Is(node) && !outputs.Contains(node.Output))
                substitution.Add(node.Output, node.Input(0));
            else
                kept.Add(node);
        }
        var removed = graph.Nodes.Count - kept.Count;
        graph.Nodes.Clear();
        graph.Nodes.AddRange(kept);
        return removed;
    }
}
