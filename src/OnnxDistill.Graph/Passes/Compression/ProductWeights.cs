using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Compression;

/// <summary>Finds the weights that products multiply by, and along which of a weight's axes the products' outputs lie.</summary>
internal sealed class ProductWeights(OnnxGraph graph)
{
    private readonly ILookup<Value, (Node Node, int Index)> _uses = graph.Nodes
        .SelectMany(static n => n.Inputs.Select((v, i) => (Value: v, Use: (n, i)))).Where(static u => u.Value is not null).ToLookup(static u => u.Value!, static u => u.Use);

    /// <summary>The axis of a weight's output channels; null for what is used otherwise than as a weight, or as one in two ways.</summary>
    public int? OutputAxis(Value weight) => graph.Outputs.Contains(weight) ? null : AxisOf(weight, weight.Shape.Rank);

    private int? AxisOf(Value value, int rank)
    {
        int? axis = null;
        foreach (var (node, index) in _uses[value])
        {
            if (AxisOf(node, index, rank) is not { } found || found < 0 || found >= rank || (axis is { } other && other != found))
                return null;
            axis = found;
        }
        return axis;
    }

    private int? AxisOf(Node node, int index, int rank) => (node.QualifiedOp, index) switch
    {
        ("Conv", 1) => 0,
        ("ConvTranspose", 1) => 1,
        ("MatMul", 1) => rank - 1,
        ("MatMul", 0) => rank - 2,
        ("Gemm", 1) => node.Attributes.Int("transB", 0) == 0 ? 1 : 0,
        ("Gemm", 0) => node.Attributes.Int("transA", 0) == 0 ? 0 : 1,
        // A table: every row is an output of its own.
        ("Gather", 0) => (int)node.Attributes.Int("axis", 0),
        ("Identity", 0) => AxisOf(node.Output, rank),
        // Axis a of the result is axis perm[a] of the weight; without perm the axes are reversed.
        ("Transpose", 0) => AxisOf(node.Output, rank) is { } axis ? (int)(node.Attributes.Ints("perm")?[axis] ?? rank - 1 - axis) : null,
        _ => null,
    };
}
