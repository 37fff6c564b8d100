using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, section 3.2) in pieces that the standard operator and
/// ONNX Runtime's own share. Heads are the second of four axes.</summary>
internal static class AttentionParts
{
    /// <summary>[N, S, heads * D] to [N, heads, S, D].</summary>
    public static Value SplitHeads(NodeRewriter r, Value x, long heads, string role) =>
        r.Transpose(r.Reshape(x, $"{role}_split", [0, 0, heads, -1]), $"{role}_heads", 0, 2, 1, 3);

    /// <summary>[N, heads, S, D] to [N, S, heads * D].</summary>
    public static Value JoinHeads(NodeRewriter r, Value x) => r.Reshape(r.Transpose(x, "by_position", 0, 2, 1, 3), "joined", [0, 0, -1]);

    /// <summary>Each head of keys or values for as many heads of queries (Ainslie et al., "GQA", 2023).</summary>
    public static Value RepeatHeads(NodeRewriter r, Value x, long heads, long times, string role)
    {
        if (times == 1)
            return x;
        var repeated = r.Emit("Expand", $"{role}_repeated", [r.Unsqueeze(x, $"{role}_grouped", 2), r.Constant($"{role}_times", 1, 1, times, 1, 1)]);
        var shape = r.Concat($"{role}_shape", 0, r.Extents(x, $"{role}_batch", 0, 1), r.Constant($"{role}_count", heads * times), r.Extents(x, $"{role}_rest", 2, 4));
        return r.Emit("Reshape", role, [repeated, shape]);
    }

    /// <summary>q k' times the scale: the given one, or one over the square root of the head size.</summary>
    public static Value Scores(NodeRewriter r, Value q, Value k, float scale)
    {
        var factor = scale != 0 ? r.Scalar("scale", scale)
            : q.KnownShape is { Rank: 4 } shape && shape[3].IsKnown ? r.Scalar("scale", 1 / Math.Sqrt(shape[3].Size))
            : r.Unary("Reciprocal", r.Unary("Sqrt", r.Cast(r.Extent(q, "head_size", -1), r.Type, "head_size_float"), "root"), "scale");
        return r.MatMul(r.Mul(q, factor, "scaled_query"), r.Transpose(k, "keys_transposed", 0, 1, 3, 2), "scores");
    }

    /// <summary>Where query i may look at key j: j at most i + offset; [S, L], or [N, 1, S, L] for an offset of [N, 1, 1, 1].</summary>
    public static Value Causal(NodeRewriter r, Value q, Value k, Value? offset)
    {
        var rows = r.Unsqueeze(r.Range(r.Extent(q, "queries", 2), "query_positions"), "rows", 1);
        var columns = r.Range(r.Extent(k, "keys_count", 2), "key_positions");
        return r.Truth("LessOrEqual", "causal", columns, offset is null ? rows : r.Emit("Add", "rows_from", [rows, offset], type: ElementType.Int64));
    }

    /// <summary>The score of a position outside the mask: finite, because a row without any position must not become no number (its gradient would,
    /// too).</summary>
    public static Value Lowest(NodeRewriter r, string role) => r.Scalar(role, r.Type switch
    {
        ElementType.Float16 => (double)Half.MinValue,
        ElementType.Float64 => double.MinValue,
        _ => float.MinValue,
    });

    /// <summary>Both masks; the other where one is not there.</summary>
    public static Value? Both(NodeRewriter r, Value? a, Value? b, string role) => a is null ? b : b is null ? a : r.Truth("And", role, a, b);
}
