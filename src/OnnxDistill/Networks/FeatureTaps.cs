using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>An activation of a network.</summary>
/// <param name="Tensor">Name of the tensor.</param>
/// <param name="Shape">Its shape, batch first.</param>
public sealed record Feature(string Tensor, Shape Shape);

/// <summary>
/// Activations of a denoiser that a discriminator may stand on: those of the lowest resolution, on the way from x to the denoised sample. The first choice is the
/// end of a U-Net's encoder (SiDA, DMD2): the last of them that goes on into the decoder both directly and beside what came of it. Networks without such a place
/// (transformers, perceptrons) are tapped half-way.
/// </summary>
public static class FeatureTaps
{
    private static readonly string[] Readers = ["Conv", "Gemm", "MatMul", "LayerNormalization"];

    /// <summary>The candidates in the order of the graph.</summary>
    /// <param name="graph">A denoiser's graph whose shapes are known, with its batch.</param>
    public static IReadOnlyList<Feature> Candidates(OnnxGraph graph) => [.. Find(graph).Select(v => new Feature(v.Name, v.Shape))];

    /// <summary>The first choice; null when the network has no activation of its own (an exact mixture).</summary>
    /// <inheritdoc cref="Candidates"/>
    public static Feature? Automatic(OnnxGraph graph)
    {
        var candidates = Find(graph);
        var end = candidates.LastOrDefault(v => IsBesideItsOwn(graph, v)) ?? (candidates.Count > 0 ? candidates[candidates.Count / 2] : null);
        return end is null ? null : new Feature(end.Name, end.Shape);
    }

    private static List<Value> Find(OnnxGraph graph)
    {
        var x = graph.Input(Denoiser.X);
        var above = Ancestors(graph);
        var users = graph.Nodes.SelectMany(n => n.Inputs.OfType<Value>().Distinct().Select(v => (Value: v, Node: n))).ToLookup(u => u.Value, u => u.Node);
        var below = Descendants(graph, x);
        bool OnTheWay(Value v) => below.Contains(v) && above.Contains(v) && v is { Type: ElementType.Float32, KnownShape.Rank: > 1 } && v.Shape[0].Equals(x.Shape[0])
            && v != graph.Output(Denoiser.Denoised);
        // ONNX Runtime writes the product of tokens with a matrix as that of rows, between two Reshapes.
        bool IsRead(Value v) => users[v].Any(n => Readers.Contains(n.OpType) || (n.OpType == "Reshape" && users[n.Output].Any(r => r.OpType == "Gemm")));
        var way = graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Where(OnTheWay).ToList();
        // What is used once only is half of a formula: an activation before its function, a sum before its scale.
        bool IsUsed(Value v) => IsRead(v) || users[v].Take(2).Count() > 1;

        // Resolutions are those that convolutions read: attention has tensors of rank 4 too, and patches are made by a convolution that none follows.
        var sizes = graph.Nodes.Where(n => n.OpType == "Conv").SelectMany(n => n.Inputs.Take(1)).OfType<Value>().Where(OnTheWay).Select(Places).ToList();
        if (x.Shape.Rank == 4 && sizes.Count > 0 && sizes.Min() < Places(x))
        {
            var lowest = sizes.Min();
            return way.FindAll(v => v.Shape.Rank == 4 && Places(v) == lowest && IsUsed(v));
        }
        var rank = way.Where(v => v.Shape.Rank < 4 && IsRead(v)).Select(v => v.Shape.Rank).DefaultIfEmpty(0).Max();
        return way.FindAll(v => v.Shape.Rank == rank && IsRead(v));
    }

    private static long Places(Value image) => image.Shape.Rank == 4 ? image.Shape[2].Size * image.Shape[3].Size : long.MaxValue;

    private static bool IsBesideItsOwn(OnnxGraph graph, Value value)
    {
        var beside = graph.Nodes.FindAll(n => n.OpType == "Concat" && n.Inputs.Contains(value));
        if (beside.Count == 0)
            return false;
        var below = Descendants(graph, value);
        return beside.Exists(n => n.Inputs.OfType<Value>().Any(v => v != value && below.Contains(v)));
    }

    private static HashSet<Value> Descendants(OnnxGraph graph, Value from)
    {
        HashSet<Value> found = [from];
        foreach (var node in graph.Nodes.Where(n => n.Inputs.OfType<Value>().Any(found.Contains)))
            found.UnionWith(node.Outputs.OfType<Value>());
        return found;
    }

    private static HashSet<Value> Ancestors(OnnxGraph graph)
    {
        HashSet<Value> found = [graph.Output(Denoiser.Denoised)];
        foreach (var node in Enumerable.Reverse(graph.Nodes).Where(n => n.Outputs.OfType<Value>().Any(found.Contains)))
            found.UnionWith(node.Inputs.OfType<Value>());
        return found;
    }
}
