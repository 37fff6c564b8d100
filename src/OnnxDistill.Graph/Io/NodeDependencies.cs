using OnnxDistill.Graph.Io.Proto;

namespace OnnxDistill.Graph.Io;

/// <summary>Which nodes of a file's graph need which others, also through the values that their subgraphs use.</summary>
internal static class NodeDependencies
{
    /// <summary>For each node the numbers of the nodes whose outputs it uses.</summary>
    public static IReadOnlyCollection<int>[] Of(GraphProto graph)
    {
        var producers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < graph.Node.Count; i++)
        {
            foreach (var output in graph.Node[i].Output.Where(n => n.Length > 0))
                producers.TryAdd(output, i);
        }
        var result = new IReadOnlyCollection<int>[graph.Node.Count];
        var used = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < result.Length; i++)
        {
            used.Clear();
            AddUsed(graph.Node[i], used);
            result[i] = [.. used.Where(producers.ContainsKey).Select(n => producers[n]).Distinct()];
        }
        return result;
    }

    private static void AddUsed(NodeProto node, HashSet<string> used)
    {
        used.UnionWith(node.Input);
        foreach (var attribute in node.Attribute.Where(a => a.G is not null))
            used.UnionWith(FreeNames(attribute.G));
    }

    /// <summary>Names that a subgraph uses and does not define itself: it takes them from around it.</summary>
    private static HashSet<string> FreeNames(GraphProto graph)
    {
        var free = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in graph.Node)
            AddUsed(node, free);
        free.ExceptWith(graph.Input.Select(v => v.Name));
        free.ExceptWith(graph.Initializer.Select(t => t.Name));
        free.ExceptWith(graph.Node.SelectMany(n => n.Output));
        return free;
    }
}
