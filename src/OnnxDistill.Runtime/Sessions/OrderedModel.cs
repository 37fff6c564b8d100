using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>
/// Makes ONNX Runtime run a graph's nodes in the order in which the graph lists them. Its own order is a depth-first walk from the last output
/// back to the inputs, higher node numbers first, and its fusions number nodes anew: gradients of weights then run when all others are done, and
/// hold what they need until then. So the graph is optimised once, what came out is sorted back into the wanted order, numbered from the end, and
/// run as it is: the walk then makes each output as late as the list allows, and nothing earlier than needed.
/// </summary>
internal static class OrderedModel
{
    /// <summary>The optimised graph, its nodes listed last to first.</summary>
    public static OnnxModel Optimize(OnnxModel model, DeviceOptions options, string what)
    {
        using var folder = new PrivateFolder();
        var path = folder.File("optimized.onnx");
        GraphSession.Create(model, options with { KeepOrder = false, OptimizedModelPath = path, ProfilePrefix = null }, what).Dispose();
        var optimized = OnnxReader.Read(path);
        var nodes = Sorted(optimized.Graph, model.Graph);
        nodes.Reverse();
        optimized.Graph.Nodes.Clear();
        optimized.Graph.Nodes.AddRange(nodes);
        return optimized;
    }

    // A fused node keeps the name of the value that it makes. One that is new (a change of layout) stands behind what it reads.
    internal static List<Node> Sorted(OnnxGraph optimized, OnnxGraph wanted)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (i, node) in wanted.Nodes.Index())
        {
            foreach (var output in node.Outputs.OfType<Value>())
                ranks[output.Name] = i;
        }
        foreach (var node in optimized.Nodes)
        {
            var known = node.Outputs.OfType<Value>().Where(o => ranks.ContainsKey(o.Name)).Select(o => ranks[o.Name]).DefaultIfEmpty(-1).Max();
            if (known < 0)
                known = node.Inputs.OfType<Value>().Select(i => ranks.GetValueOrDefault(i.Name, 0)).DefaultIfEmpty(0).Max();
            foreach (var output in node.Outputs.OfType<Value>())
                ranks.TryAdd(output.Name, known);
        }
        return [.. optimized.Nodes.OrderBy(n => n.Outputs.OfType<Value>().Max(o => ranks[o.Name]))];
    }
}
