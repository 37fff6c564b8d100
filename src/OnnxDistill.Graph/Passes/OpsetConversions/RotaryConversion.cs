using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Rotary position embedding (Su et al., "RoFormer", 2021, equation 34): pairs of elements turned by an angle of their position.</summary>
internal static class RotaryConversion
{
    /// <summary>RotaryEmbedding of opset 23: caches, then positions; without positions the caches are of the sequence itself.</summary>
    public static void Standard(NodeRewriter r)
    {
        var (cos, sin) = (r.Node.Input(1), r.Node.Input(2));
        if (r.Node.OptionalInput(3) is { } positions)
            (cos, sin) = (r.Emit("Gather", "cos", [cos, positions]), r.Emit("Gather", "sin", [sin, positions]));
        Rotate(r, cos, sin);
    }

    /// <summary>com.microsoft::RotaryEmbedding: positions of every token, or the position of the first one.</summary>
    public static void Microsoft(NodeRewriter r)
    {
        var positions = r.Node.Input(1);
        if (r.Node.Attributes.Int("is_packed_batching", 0) != 0 || r.Node.Attributes.Float("scale", 1) != 1)
            r.Refuse("packed batches and scales are not converted");
        else if (positions.KnownShape is null || r.X.KnownShape is null)
            r.RefuseWithoutShapes("the shape of its input or positions");
        else
        {
            if (positions.Shape.Rank < 2)
                positions = r.Emit("Add", "positions", [r.Range(r.Extent(r.X, "tokens", r.X.Shape.Rank == 3 ? 1 : 2), "order"), positions], type: ElementType.Int64);
            Rotate(r, r.Emit("Gather", "cos", [r.Node.Input(2), positions]), r.Emit("Gather", "sin", [r.Node.Input(3), positions]));
        }
    }

    private static void Rotate(NodeRewriter r, Value cos, Value sin)
    {
        if (r.X.KnownShape is not { } shape)
        {
            r.RefuseWithoutShapes("the rank of its input");
            return;
        }
        var heads = r.Node.Attributes.Int("num_heads", 0);
        var flat = shape.Rank == 3;
        // [N, S, heads, D] needs the angles once more for each head, [N, heads, S, D] likewise in another place.
        var (c, s) = (r.Unsqueeze(cos, "cos_heads", flat ? -2 : -3), r.Unsqueeze(sin, "sin_heads", flat ? -2 : -3));
        var size = r.Node.Attributes.Int("rotary_embedding_dim", 0);
        if (flat && heads <= 0)
        {
            if (size > 0 || cos.KnownShape is not { Rank: > 0 } half || !half[half.Rank - 1].IsKnown || !shape[2].IsKnown)
            {
                r.RefuseWithoutShapes("the number of its heads");
                return;
            }
            heads = shape[2].Size / (2 * half[half.Rank - 1].Size);
        }
        var x = flat ? r.Reshape(r.X, "by_head", [0, 0, heads, -1]) : r.X;
        var turned = size > 0 ? r.Slice(x, "turned_part", -1, 0, size) : x;
        var interleaved = r.Node.Attributes.Int("interleaved", 0) != 0;
        var parts = interleaved
            ? [r.Slice(turned, "even", -1, 0, long.MaxValue, 2), r.Slice(turned, "odd", -1, 1, long.MaxValue, 2)]
            : r.Split(turned, "half", -1, 2);
        var real = r.Sub(r.Mul(c, parts[0], "cos_a"), r.Mul(s, parts[1], "sin_b"), "real");
        var imaginary = r.Add(r.Mul(s, parts[0], "sin_a"), r.Mul(c, parts[1], "cos_b"), "imaginary");
        var result = interleaved
            ? r.Reshape(r.Concat("pairs", -1, r.Unsqueeze(real, "real_last", -1), r.Unsqueeze(imaginary, "imaginary_last", -1)), "woven", [0, 0, 0, -1])
            : r.Concat("halves", -1, real, imaginary);
        if (size > 0)
            result = r.Concat("whole", -1, result, r.Slice(x, "kept_part", -1, size, long.MaxValue));
        r.Finish(flat ? r.Reshape(result, "flat", [0, 0, -1]) : result);
    }
}
