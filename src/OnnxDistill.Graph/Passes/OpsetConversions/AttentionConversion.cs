using OnnxDistill.Graph.Model;
using static OnnxDistill.Graph.Passes.OpsetConversions.AttentionParts;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Attention (opset 23 to 25): softmax(cap(scale q k') + mask) v with grouped heads, a cache of past keys and values, and masks.</summary>
internal static class AttentionConversion
{
    /// <summary>In terms of MatMul and Softmax.</summary>
    public static void Lower(NodeRewriter r)
    {
        var node = r.Node;
        var mask = node.OptionalInput(3);
        var (queryHeads, keyHeads) = (node.Attributes.Int("q_num_heads", 0), node.Attributes.Int("kv_num_heads", 0));
        var flat = queryHeads > 0 && r.X.KnownShape is not { Rank: 4 };
        if (!flat)
        {
            if (r.X.KnownShape is not { Rank: 4 } q || node.Input(1).KnownShape is not { Rank: 4 } k || !q[1].IsKnown || !k[1].IsKnown)
            {
                r.RefuseWithoutShapes("the number of its heads");
                return;
            }
            (queryHeads, keyHeads) = (q[1].Size, k[1].Size);
        }
        if (mask is { KnownShape: null })
            r.RefuseWithoutShapes("the shape of its mask");
        else if (mask is not null && mask.Type != ElementType.Bool && !mask.Type.IsFloating())
            r.Refuse($"its mask is of {mask.Type}");
        else if (keyHeads <= 0 || queryHeads % keyHeads != 0)
            r.Refuse($"its {queryHeads} heads of queries cannot share {keyHeads} heads of keys");
        else
            Lower(r, flat, queryHeads, keyHeads);
    }

    private static void Lower(NodeRewriter r, bool flat, long queryHeads, long keyHeads)
    {
        var q = flat ? SplitHeads(r, r.X, queryHeads, "query") : r.X;
        var k = flat ? SplitHeads(r, r.Node.Input(1), keyHeads, "key") : r.Node.Input(1);
        var v = flat ? SplitHeads(r, r.Node.Input(2), keyHeads, "value") : r.Node.Input(2);
        var past = r.Node.OptionalInput(4);
        if (past is not null)
            (k, v) = (r.Concat("present_key", 2, past, k), r.Concat("present_value", 2, r.Node.Input(5), v));
        r.Finish(k, 1);
        r.Finish(v, 2);
        k = RepeatHeads(r, k, keyHeads, queryHeads / keyHeads, "keys");
        v = RepeatHeads(r, v, keyHeads, queryHeads / keyHeads, "values");

        var mode = r.Node.Attributes.Int("qk_matmul_output_mode", 0);
        var scores = Scores(r, q, k, r.Node.Attributes.Float("scale", 0));
        Show(0, scores);
        if (r.Node.Attributes.Float("softcap", 0) is var cap and not 0)
            scores = r.Mul(r.Unary("Tanh", r.Div(scores, r.Scalar("cap", cap), "relative"), "tanh"), r.Scalar("cap_again", cap), "capped");
        Show(1, scores);
        if (r.Node.OptionalInput(3) is { Type: not ElementType.Bool } bias)
            scores = r.Add(scores, Padded(r, bias, k), "biased");
        var allowed = Allowed(r, q, k, past);
        if (allowed is not null)
            scores = r.Where(allowed, scores, Lowest(r, "lowest"), "masked");
        Show(2, scores);
        var precision = (ElementType)r.Node.Attributes.Int("softmax_precision", (long)r.Type);
        var weights = r.Emit("Softmax", "weights", [r.Cast(scores, precision, "scores_precise")], new AttributeMap(("axis", -1)), type: precision);
        weights = r.Cast(weights, r.Type, "weights_back");
        // A query that may look nowhere sees nothing, instead of everything alike.
        if (allowed is not null)
            weights = r.Where(allowed, weights, r.Scalar("nothing", 0), "weights_allowed");
        Show(3, weights);
        var seen = r.MatMul(weights, v, "seen");
        r.Finish(flat ? JoinHeads(r, seen) : seen);

        void Show(int at, Value value)
        {
            if (at == mode)
                r.Finish(value, 3);
        }
    }

    /// <summary>What the boolean mask, causality, windows and the lengths of padded keys leave; null: everything.</summary>
    private static Value? Allowed(NodeRewriter r, Value q, Value k, Value? past)
    {
        var attributes = r.Node.Attributes;
        var allowed = r.Node.OptionalInput(3) is { Type: ElementType.Bool } mask ? Padded(r, mask, k) : null;
        var offset = past is null ? null : r.Extents(past, "past_length", 2, 3);
        if (r.Node.OptionalInput(6) is { } lengths)
        {
            var perSample = r.Unsqueeze(lengths, "lengths", 1, 2, 3);
            var positions = r.Range(r.Extent(k, "keys_all", 2), "key_indices");
            allowed = Both(r, allowed, r.Truth("Less", "not_padding", positions, perSample), "mask_not_padding");
            offset = r.Emit("Sub", "cached", [perSample, r.Extents(q, "query_length", 2, 3)], type: ElementType.Int64);
        }
        if (attributes.Int("is_causal", 0) != 0)
            allowed = Both(r, allowed, Causal(r, q, k, offset), "mask_causal");
        if (attributes.Int("right_window_size", -1) is var right and >= 0)
            allowed = Both(r, allowed, Causal(r, q, k, Shifted(r, offset, right, "right")), "mask_right");
        // At least i + offset - left is: not at most i + offset - left - 1.
        if (attributes.Int("left_window_size", -1) is var left and >= 0)
            allowed = Both(r, allowed, r.Truth("Not", "not_before", Causal(r, q, k, Shifted(r, offset, -left - 1, "left"))), "mask_left");
        return allowed;
    }

    private static Value Shifted(NodeRewriter r, Value? offset, long by, string role) => offset is null ? r.Constant($"{role}_window", by)
        : r.Emit("Add", $"{role}_offset", [offset, r.Constant($"{role}_window", by)], type: ElementType.Int64);

    /// <summary>A mask may be shorter than the keys; the rest is then masked out.</summary>
    private static Value Padded(NodeRewriter r, Value mask, Value k)
    {
        var last = mask.Shape.Rank - 1;
        // An extent of 1 is broadcast, not padded.
        if (mask.Shape[last] == 1 || (KeyLength(r) is { } length && mask.Shape[last] == length))
            return mask;
        var missing = r.Emit("Sub", "mask_missing", [r.Extents(k, "key_length", 2, 3), r.Extents(mask, "mask_length", last, last + 1)], type: ElementType.Int64);
        var fill = mask.Type == ElementType.Bool ? r.Constant("mask_fill", TensorData.Of([false], [])) : Lowest(r, "mask_fill");
        var pads = r.Concat("mask_pads", 0, r.Constant("mask_pads_before", new long[(2 * last) + 1]), missing);
        return r.Emit("Pad", "mask_padded", [mask, pads, fill], type: mask.Type);
    }

    /// <summary>The number of keys, past ones included, where the shapes of the inputs tell it.</summary>
    private static long? KeyLength(NodeRewriter r)
    {
        if (r.Node.Input(1).KnownShape is not { } keys || !keys[keys.Rank - 2].IsKnown)
            return null;
        var past = r.Node.OptionalInput(4);
        if (past is null)
            return keys[keys.Rank - 2].Size;
        return past.KnownShape is { Rank: 4 } shape && shape[2].IsKnown ? keys[keys.Rank - 2].Size + shape[2].Size : null;
    }
}
