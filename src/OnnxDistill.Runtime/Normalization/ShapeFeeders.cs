using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>Finds the values whose numbers decide a shape, an axis or a branch: these have to stay constants, or nothing folds.</summary>
/// <remarks>Exporters compute sizes in floating point too (an interpolation's scale times an extent, cast back to integers), so the element type
/// alone does not tell a weight from a size.</remarks>
public static class ShapeFeeders
{
    /// <summary>Names of those values, with everything that they are computed from. A floating one among them is a size (an interpolation's scales),
    /// never a weight.</summary>
    public static HashSet<string> Find(OnnxGraph graph)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        // Backwards once: nodes stand in topological order, so a node's consumers have been seen before it.
        for (var i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            var node = graph.Nodes[i];
            // Shape looks at its input's extents, not at its numbers.
            var all = node.OpType is not ("Shape" or "Size") && Array.Exists(node.Outputs, o => o is not null && found.Contains(o.Name));
            for (var j = 0; j < node.Inputs.Length; j++)
            {
                if (node.Inputs[j] is { } input && (all || IsSize(node, j)))
                    found.Add(input.Name);
            }
        }
        return found;
    }

    private static bool IsSize(Node node, int index) => node.QualifiedOp switch
    {
        "Range" => true,
        "ConstantOfShape" or "If" => index == 0,
        "Loop" => index <= 1,
        "Resize" or "Slice" => index >= 1,
        "Pad" => index is 1 or 3,
        "Reshape" or "Expand" or "Tile" or "Upsample" or "Squeeze" or "Unsqueeze" or "Split" or "OneHot" or "TopK" or "CumSum" or "Trilu"
            or "CenterCropPad" or "AffineGrid" => index == 1,
        var op => op.StartsWith("Reduce", StringComparison.Ordinal) && index == 1,
    };
}
