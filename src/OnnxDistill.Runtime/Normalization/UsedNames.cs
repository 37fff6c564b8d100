using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>What a graph uses, inside the bodies of its control flow too.</summary>
internal static class UsedNames
{
    /// <summary>Names of all values that a node or an output uses.</summary>
    public static HashSet<string> Of(OnnxGraph graph) => Graphs(graph)
        .SelectMany(g => g.Nodes.SelectMany(n => n.Inputs).OfType<Value>().Concat(g.Outputs)).Select(v => v.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>Operator domains of all nodes.</summary>
    public static HashSet<string> DomainsOf(OnnxGraph graph) =>
        Graphs(graph).SelectMany(g => g.Nodes).Select(n => n.Domain).ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<OnnxGraph> Graphs(OnnxGraph graph) =>
        graph.Nodes.SelectMany(n => n.Attributes).Select(a => a.Value).OfType<OnnxGraph>().SelectMany(Graphs).Prepend(graph);
}
