using OnnxDistill.Graph.Model;
using static OnnxDistill.Graph.Passes.OpsetConversions.AttentionParts;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>com.microsoft's MultiHeadAttention and Attention. Their masks are added: a masked key's score falls by mask_filter_value.</summary>
internal static class MicrosoftAttention
{
    /// <summary>Queries, keys and values side by side, packed, or with heads already split.</summary>
    public static void MultiHead(NodeRewriter r)
    {
        var node = r.Node;
        var heads = node.Attributes.Int("num_heads", 0);
        var (key, value) = (node.OptionalInput(1), node.OptionalInput(2));
        if (heads <= 0 || Enumerable.Range(8, 2).Any(i => node.OptionalInput(i) is not null))
        {
            r.Refuse(heads <= 0 ? "it has no num_heads" : "it shares a buffer between past and present");
            return;
        }
        if (r.X.KnownShape is not { } query || (key is not null && key.KnownShape is null) || (node.OptionalInput(4) is { } mask && mask.KnownShape is null))
        {
            r.RefuseWithoutShapes("the shape of its inputs");
            return;
        }
        Value q, k, v;
        if (query.Rank == 5)
        {
            var parts = Unpacked(r, r.X, 3, "packed");
            (q, k, v) = (parts[0], parts[1], parts[2]);
        }
        else
        {
            q = SplitHeads(r, r.X, heads, "query");
            if (key?.KnownShape is { Rank: 5 })
            {
                var parts = Unpacked(r, key, 2, "packed_kv");
                (k, v) = (parts[0], parts[1]);
            }
            else if (key is not null && value is not null)
            {
                k = key.Shape.Rank == 4 ? key : SplitHeads(r, key, heads, "key");
                v = key.Shape.Rank == 4 ? value : SplitHeads(r, value, heads, "value");
            }
            else
            {
                r.Refuse("it has no keys or no values");
                return;
            }
        }
        if (node.OptionalInput(3) is { } bias)
        {
            if (v.KnownShape is not { Rank: 4 } shape && !TryValueShape(value ?? key ?? r.X, heads, out shape))
            {
                r.RefuseWithoutShapes("the size of its heads");
                return;
            }
            var values = heads * shape[3].Size;
            // Query and key are of one width; the values have what is left of the bias.
            q = r.Add(q, PartOfBias(r, bias, 0, -values, heads, "query_bias"), "query_with_bias");
            k = r.Add(k, PartOfBias(r, bias, 1, -values, heads, "key_bias"), "key_with_bias");
            v = r.Add(v, PartOfBias(r, bias, 2, -values, heads, "value_bias"), "value_with_bias");
        }
        if (node.OptionalInput(6) is { } pastKey && node.OptionalInput(7) is { } pastValue)
            (k, v) = (r.Concat("present_key", 2, pastKey, k), r.Concat("present_value", 2, pastValue, v));
        r.Finish(k, 1);
        r.Finish(v, 2);
        Attend(r, q, k, v, node.OptionalInput(4), node.OptionalInput(5), node.OptionalInput(6));
    }

    /// <summary>One input projected to queries, keys and values at once.</summary>
    public static void Packed(NodeRewriter r)
    {
        var node = r.Node;
        var heads = node.Attributes.Int("num_heads", 0);
        if (heads <= 0 || node.Attributes.Int("do_rotary", 0) != 0 || node.Attributes.Int("past_present_share_buffer", 0) != 0)
        {
            r.Refuse("rotary embeddings, shared buffers and a missing num_heads are not converted");
            return;
        }
        if (node.OptionalInput(3) is { KnownShape: null } || node.Input(1).KnownShape is not { Rank: 2 } weights || !weights[1].IsKnown)
        {
            r.RefuseWithoutShapes("the shape of its mask or weights");
            return;
        }
        var projected = r.AddIfAny(r.MatMul(r.X, node.Input(1), "projected"), node.OptionalInput(2), "projected_with_bias");
        var sizes = node.Attributes.Ints("qkv_hidden_sizes") is { Length: 3 } given ? given : [.. Enumerable.Repeat(weights[1].Size / 3, 3)];
        var ends = sizes.Select((_, i) => sizes.Take(i + 1).Sum()).ToArray();
        Value Part(int i, string role) => SplitHeads(r, r.Slice(projected, role, -1, ends[i] - sizes[i], ends[i]), heads, role);
        var (q, k, v) = (Part(0, "query"), Part(1, "key"), Part(2, "value"));
        var past = node.OptionalInput(4);
        if (past is not null)
        {
            Value Past(int i, string role) => r.Emit("Gather", role, [node.Input(4), r.Constant($"{role}_index", TensorData.Of([(long)i], []))], new AttributeMap(("axis", 0)));
            past = Past(0, "past_key");
            (k, v) = (r.Concat("present_key", 2, past, k), r.Concat("present_value", 2, Past(1, "past_value"), v));
        }
        if (r.Uses(1))
            r.Finish(r.Concat("present", 0, r.Unsqueeze(k, "present_key_first", 0), r.Unsqueeze(v, "present_value_second", 0)), 1);
        Attend(r, q, k, v, node.OptionalInput(3), node.OptionalInput(5), past);
    }

    private static void Attend(NodeRewriter r, Value q, Value k, Value v, Value? mask, Value? bias, Value? past)
    {
        var scores = r.AddIfAny(Scores(r, q, k, r.Node.Attributes.Float("scale", 0)), bias, "biased");
        if (mask is not null)
        {
            if (Kept(r, q, k, mask) is not { } kept)
                return;
            var filter = r.Scalar("filter", r.Node.Attributes.Float("mask_filter_value", -10000));
            scores = r.Add(scores, r.Where(kept, r.Scalar("kept", 0), filter, "mask_bias"), "masked");
        }
        if (r.Node.Attributes.Int("unidirectional", 0) != 0)
        {
            var offset = past is null ? null : r.Extents(past, "past_length", 2, 3);
            scores = r.Where(Causal(r, q, k, offset), scores, Lowest(r, "future"), "causal_scores");
        }
        r.Finish(scores, 3);
        r.Finish(JoinHeads(r, r.MatMul(r.Emit("Softmax", "weights", [scores], new AttributeMap(("axis", -1))), v, "seen")));
    }

    /// <summary>Which keys a mask keeps, to be broadcast against [N, heads, S, L]: ones of [N, L] or [N, S, L], the lengths of samples [N], or their
    /// ends and starts [2 N].</summary>
    private static Value? Kept(NodeRewriter r, Value q, Value k, Value mask)
    {
        var one = r.Constant("mask_one", new TensorData(mask.Type, [], mask.Type == ElementType.Int64 ? BitConverter.GetBytes(1L) : BitConverter.GetBytes(1)));
        switch (mask.Shape.Rank)
        {
            case 2:
                return r.Truth("Equal", "mask_kept", r.Unsqueeze(mask, "mask_heads", 1, 2), one);
            case 3:
                return r.Truth("Equal", "mask_kept", r.Unsqueeze(mask, "mask_heads", 1), one);
            case 1 when r.X.KnownShape is { Rank: > 0 } x && x[0].IsKnown && mask.Shape[0].IsKnown:
                var places = r.Cast(r.Range(r.Extent(k, "mask_length", 2), "mask_positions"), mask.Type, "mask_places");
                Value Part(long from, long to, string role) => r.Reshape(r.Slice(mask, $"{role}_list", 0, from, to), role, [-1, 1, 1, 1]);
                var samples = x[0].Size;
                var kept = r.Truth("Less", "mask_before_end", places, Part(0, samples, "mask_ends"));
                if (mask.Shape[0].Size == samples)
                    return kept;
                if (mask.Shape[0].Size == 2 * samples)
                    return r.Truth("And", "mask_between", kept, r.Truth("GreaterOrEqual", "mask_after_start", places, Part(samples, 2 * samples, "mask_starts")));
                break;
        }
        r.Refuse($"a mask of shape {mask.Shape} is not known for queries {q.KnownShape?.ToString() ?? r.X.KnownShape?.ToString()}");
        return null;
    }

    /// <summary>[N, S, heads, parts, D] to parts of [N, heads, S, D].</summary>
    private static Value[] Unpacked(NodeRewriter r, Value x, int parts, string role)
    {
        var dims = x.KnownShape;
        return [.. r.Split(r.Transpose(x, $"{role}_heads", 0, 2, 1, 3, 4), role, 3, parts).Select((part, i) =>
        {
            var result = r.Emit("Squeeze", $"{role}_{i}_part", [part, r.Constant($"{role}_{i}_axis", 3)]);
            result.KnownShape = dims is null ? null : Shape.Of(dims[0], dims[2], dims[1], dims[4]);
            return result;
        })];
    }

    private static bool TryValueShape(Value value, long heads, out Shape shape)
    {
        shape = value.KnownShape is { Rank: 3 } flat && flat[2].IsKnown ? Shape.Of(flat[0], heads, flat[1], flat[2].Size / heads)
            : value.KnownShape is { Rank: 4 } split && split[3].IsKnown ? split : Shape.Scalar;
        return shape.Rank == 4;
    }

    /// <summary>[heads, 1, D] of the bias of queries (0), keys (1) or values (2).</summary>
    private static Value PartOfBias(NodeRewriter r, Value bias, int part, long values, long heads, string role)
    {
        var queriesAndKeys = r.Slice(bias, $"{role}_rest", 0, part == 2 ? values : 0, part == 2 ? long.MaxValue : values);
        var list = part == 2 ? queriesAndKeys : r.Split(queriesAndKeys, $"{role}_half", 0, 2)[part];
        return r.Unsqueeze(r.Reshape(list, $"{role}_heads", [heads, -1]), role, 1);
    }
}
