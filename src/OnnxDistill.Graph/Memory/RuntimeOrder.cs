using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Memory;

/// <summary>
/// The order in which ONNX Runtime runs the nodes of a graph by default: from the last node whose results no other node reads back to what it
/// needs, later nodes first, each node after those; then from the last but one, and so on.
/// </summary>
internal static class RuntimeOrder
{
    public static List<Node> Of(OnnxGraph graph)
    {
        var index = new Dictionary<Node, int>();
        foreach (var node in graph.Nodes)
            index[node] = index.Count;
        var read = graph.Nodes.SelectMany(Producers).ToHashSet();
        var open = new Stack<(Node Node, bool Leaves)>(graph.Nodes.Where(n => !read.Contains(n)).Select(static n => (n, false)));
        var seen = new HashSet<Node>();
        var order = new List<Node>(graph.Nodes.Count);
        while (open.TryPop(out var next))
        {
            if (next.Leaves)
            {
                order.Add(next.Node);
                continue;
            }
            if (!seen.Add(next.Node))
                continue;
            open.Push((next.Node, true));
            foreach (var producer in Producers(next.Node).Where(p => !seen.Contains(p)).OrderBy(p => index[p]))
                open.Push((producer, false));
        }
        return order;
    }

    private static IEnumerable<Node> Producers(Node node) => node.Inputs.Select(static v => v?.Producer).OfType<Node>().Distinct();
}
