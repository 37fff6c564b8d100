using OnnxDistill.Graph.Model;

namespace OnnxDistill.Students;

/// <summary>
/// Frees the batch of a network that its exporter fixed at 1: the inputs' first extents become a symbol, and Reshape nodes to [1, a, b] become those to [-1, a, b], or [0, ..] where
/// another extent is open. At a batch of 1 both are the same; that samples do not see each other is tested by <see cref="GeneratorImporter"/>, not assumed.
/// </summary>
internal static class FreeBatch
{
    /// <summary>Name of the symbol.</summary>
    public const string Symbol = "N";

    /// <summary>Changes the graph in place; nothing happens to one whose batch is open.</summary>
    public static void Apply(OnnxGraph graph)
    {
        var firsts = graph.Inputs.Where(static i => i.KnownShape is { Rank: > 0 }).ToList();
        if (firsts.Count == 0 || !firsts.TrueForAll(static i => i.Shape[0] is { IsKnown: true, Size: 1 }))
            return;
        foreach (var input in firsts)
            input.KnownShape = input.Shape.With(0, Dim.Named(Symbol));
        foreach (var output in graph.Outputs.Where(static o => o.KnownShape is { Rank: > 0 }))
            output.KnownShape = output.Shape.With(0, Dim.Named(Symbol));
        foreach (var value in graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>().Except(graph.Outputs))
            value.KnownShape = null;
        var targets = graph.Nodes.Where(static n => n.OpType == "Reshape").Select(static n => n.OptionalInput(1)?.Name).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var initializer in graph.Initializers.Where(i => targets.Contains(i.Name)))
            initializer.Constant = Freed(initializer.Constant);
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            if (node.OpType == "Constant" && targets.Contains(node.Output.Name) && node.Attributes.Tensor("value") is { } value)
                graph.Nodes[i] = new Node(node.OpType, node.Inputs, node.Outputs, node.Attributes.With("value", Freed(value)!), node.Name, node.Domain);
        }
    }

    private static TensorData? Freed(TensorData? target)
    {
        if (target is not { Type: ElementType.Int64, Dims.Length: 1 } || target.ToLongs() is not [1, _, ..] dims)
            return target;
        dims[0] = dims.Contains(-1) ? 0 : -1;
        return TensorData.Of(dims, dims.Length);
    }
}
