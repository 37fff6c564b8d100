using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>Removes nodes and initializers that no output depends on: rules build gradients for every input, wanted or not.</summary>
public sealed class DeadNodes : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "dead nodes";

    /// <inheritdoc/>
    public int Run(OnnxGraph graph) => Remove(graph);

    /// <summary>Removes them in place; inputs stay, because callers feed them by name.</summary>
    /// <returns>How many nodes were removed.</returns>
    public static int Remove(OnnxGraph graph)
    {
        var alive = graph.Outputs.ToHashSet();
        var kept = new List<Node>();
        for (var i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            var node = graph.Nodes[i];
            if (!node.Outputs.Any(o => o is not null && alive.Contains(o)))
                continue;
            kept.Add(node);
            alive.UnionWith(node.Inputs.OfType<Value>());
        }
        kept.Reverse();
        var removed = graph.Nodes.Count - kept.Count;
        graph.Nodes.Clear();
        graph.Nodes.AddRange(kept);
        graph.Initializers.RemoveAll(v => !alive.Contains(v));
        return removed;
    }
}
