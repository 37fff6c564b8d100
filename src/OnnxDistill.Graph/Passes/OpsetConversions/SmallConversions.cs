using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Conversions of a few lines.</summary>
internal static class SmallConversions
{
    /// <summary>Keeps the node unless the function has an objection.</summary>
    public static Action<NodeRewriter> KeepUnless(Func<NodeRewriter, string?> objection) => r =>
    {
        if (objection(r) is { } reason)
            r.Refuse(reason);
        else
            r.Keep();
    };

    /// <summary>Refuses every such node.</summary>
    public static Action<NodeRewriter> Never(string reason) => r => r.Refuse(reason);

    /// <summary>ReduceMax and ReduceMin from 20 on take booleans.</summary>
    public static string? BooleanReduction(NodeRewriter r) =>
        r.X.Type == ElementType.Bool ? "reductions of booleans came with opset 20" : null;

    /// <summary>Cast and CastLike from 19 on: saturate and round_mode speak of 8-bit floats only, which the graph model lacks.</summary>
    public static void Cast(NodeRewriter r)
    {
        var to = r.Node.Attributes.Int("to", (long)ElementType.Float32);
        if (Enum.IsDefined((ElementType)to))
            r.Replace(r.Node.OpType, r.Node.Inputs, r.Node.Attributes.With("saturate", null).With("round_mode", null));
        else
            r.Refuse($"it casts to the element type {to}, which opset {OnnxModel.InnerOpset} lacks");
    }

    /// <summary>RoiAlign before 16 did not shift its coordinates by half a pixel.</summary>
    public static void RoiAlign(NodeRewriter r) =>
        r.Replace(r.Node.OpType, r.Node.Inputs, r.Node.Attributes.With("coordinate_transformation_mode", "output_half_pixel"));

    /// <summary>The same operator under another name.</summary>
    public static Action<NodeRewriter> Rename(string opType) => r => r.Replace(opType, r.Node.Inputs, r.Node.Attributes);

    /// <summary>Split before 18: the parts are a list (an attribute before 13, then an input) or equal; equal parts must now be
    /// counted.</summary>
    public static void Split(NodeRewriter r)
    {
        var attributes = r.Node.Attributes.With("split", null);
        if (r.Node.OptionalInput(1) is { } given)
            r.Replace("Split", [r.X, given], attributes);
        else if (r.Node.Attributes.Ints("split") is { } sizes)
            r.Replace("Split", [r.X, r.Constant("split", sizes)], attributes);
        else
            r.Replace("Split", [r.X], attributes.With("num_outputs", r.Node.Outputs.Length));
    }

    /// <summary>Compress by a constant condition takes elements at known places, so that its result has a known shape.</summary>
    public static void Compress(NodeRewriter r)
    {
        if (NodeRewriter.ConstantOf(r.Node.OptionalInput(1)) is not { } condition)
        {
            r.Keep();
            return;
        }
        var places = r.Constant("places", [.. condition.As<bool>().ToArray().Index().Where(static c => c.Item).Select(static c => (long)c.Index)]);
        if (r.Node.Attributes.Has("axis"))
            r.Replace("Gather", [r.X, places], r.Node.Attributes);
        else
            r.Replace("Gather", [r.Reshape(r.X, "flat", [-1]), places], new AttributeMap(("axis", 0L)));
    }

    /// <summary>Swish (opset 24): x * sigmoid(alpha x).</summary>
    public static void Swish(NodeRewriter r)
    {
        var alpha = r.Node.Attributes.Float("alpha", 1);
        var scaled = alpha == 1 ? r.X : r.Binary("Mul", r.X, r.Scalar("alpha", alpha), "scaled");
        r.Replace("Mul", [r.X, r.Unary("Sigmoid", scaled, "sigmoid")]);
    }
}
