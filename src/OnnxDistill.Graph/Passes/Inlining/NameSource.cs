using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Inlining;

/// <summary>Hands out value names that a graph and its subgraphs do not have yet.</summary>
internal sealed class NameSource
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _next = new(StringComparer.Ordinal);

    /// <summary>Names besides those of the graph.</summary>
    public NameSource(OnnxGraph graph) => Collect(graph);

    /// <summary>The wanted name, with a number behind it where it is taken.</summary>
    public string Unique(string wanted)
    {
        if (_names.Add(wanted))
            return wanted;
        for (var i = _next.GetValueOrDefault(wanted, 2); ; i++)
        {
            var name = $"{wanted}_{i}";
            if (!_names.Add(name))
                continue;
            _next[wanted] = i + 1;
            return name;
        }
    }

    private void Collect(OnnxGraph graph)
    {
        _names.UnionWith(graph.Inputs.Concat(graph.Initializers).Concat(graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>()).Select(static v => v.Name));
        foreach (var subgraph in graph.Nodes.SelectMany(static n => n.Attributes).Select(static a => a.Value).OfType<OnnxGraph>())
            Collect(subgraph);
    }
}
