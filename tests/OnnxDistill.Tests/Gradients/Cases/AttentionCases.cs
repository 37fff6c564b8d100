using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Attention, rotary embeddings and caches of opsets 23 to 25, lowered to opset 18.</summary>
internal static class AttentionCases
{
    // Other sizes for queries and keys (no two inputs alike, and no axis taken for another); heads before positions in rank 4.
    private static readonly Arg Query = Normal(2, 4, 3, 6), Key = Normal(2, 4, 5, 6), Values = Normal(2, 4, 5, 3);

    private static readonly Arg FlatQuery = Normal(2, 3, 24), FlatKey = Normal(2, 5, 24), FlatValues = Normal(2, 5, 12);

    private static readonly bool[] SomeOf15 = [true, true, false, true, true, true, false, true, false, true, false, true, true, true, false];

    private static readonly Arg Cos = Uniform(-1, 1, 7, 2), Sin = Uniform(-1, 0.9, 7, 2);

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        Attention(23, "four axes", [Query, Key, Values]),
        Attention(23, "three axes, scale", [FlatQuery, FlatKey, FlatValues], ("q_num_heads", 4), ("kv_num_heads", 4), ("scale", 0.3)),
        Attention(23, "grouped heads, three axes", [FlatQuery, Normal(2, 5, 12), Normal(2, 5, 8)], ("q_num_heads", 4), ("kv_num_heads", 2)),
        Attention(23, "one head of keys, four axes", [Query, Normal(2, 1, 5, 6), Normal(2, 1, 5, 3)]),
        Attention(23, "softcap, causal", [Query, Normal(2, 4, 3, 6), Normal(2, 4, 3, 3)], ("softcap", 1.5), ("is_causal", 1)),
        Attention(23, "boolean mask [S, L]", [Query, Key, Values, Bools([3, 5], SomeOf15)]),
        Attention(23, "boolean mask [N, 1, S, L]", [Query, Key, Values, Bools([2, 1, 3, 5], [.. SomeOf15, .. SomeOf15.Reverse()])]),
        Attention(23, "float mask [N, heads, S, L]", [Query, Key, Values, Normal(2, 4, 3, 5)]),
        Attention(23, "float mask [S, L], causal", [Query, Normal(2, 4, 3, 6), Normal(2, 4, 3, 3), Normal(3, 3)], ("is_causal", 1)),
        Attention(23, "past and present, causal", [Query, Normal(2, 4, 3, 6), Normal(2, 4, 3, 3), null, Normal(2, 4, 2, 6), Normal(2, 4, 2, 3)],
            ("is_causal", 1)) with { Outputs = 3 },
        Attention(23, "past and present, three axes", [FlatQuery, FlatKey, FlatValues, null, Normal(2, 4, 1, 6), Normal(2, 4, 1, 3)],
            ("q_num_heads", 4), ("kv_num_heads", 4)) with { Outputs = 3 },
        .. from mode in new[] { 0, 1, 2, 3 }
           select Attention(23, $"scores of mode {mode}", [Query, Key, Values, Normal(3, 5)], ("qk_matmul_output_mode", mode), ("softcap", 2.0))
               with { Outputs = 4, Without = [1, 2] },
        Attention(23, "softmax in float64", [Query, Key, Values], ("softmax_precision", 11)),
        Attention(24, "lengths of keys", [Query, Key, Values, null, null, null, Longs(3, 5)]),
        Attention(24, "shorter boolean mask", [Query, Key, Values, Bools([3, 4], SomeOf15[..12]), null, null, Longs(3, 4)]) with { HasNoKernel = true },
        Attention(24, "causal, lengths of keys", [Query, Key, Values, null, null, null, Longs(4, 5)], ("is_causal", 1)),
        Attention(24, "a query that may look nowhere", [Query, Key, Values, Bools([3, 5], [.. SomeOf15[..5], false, false, false, false, false, .. SomeOf15[10..]])]),
        new("TensorScatter", "linear, each sample's own place", [Normal(2, 3, 6, 2), Normal(2, 3, 2, 2), Longs(1, 4)]) { Opset = 24 },
        new("TensorScatter", "circular, axis 1", [Normal(2, 5, 3), Normal(2, 2, 3), Longs(4, 1)], ("axis", 1), ("mode", "circular")) { Opset = 24 },
        new("TensorScatter", "from the start", [Normal(2, 5, 3), Normal(2, 2, 3)]) { Opset = 24 },
        new("RotaryEmbedding", "four axes, halves", [Normal(2, 3, 5, 4), Uniform(-1, 1, 2, 5, 2), Uniform(-1, 0.9, 2, 5, 2)]) { Opset = 23 },
        new("RotaryEmbedding", "positions, pairs", [Normal(2, 3, 5, 4), Cos, Sin, Positions()], ("interleaved", 1)) { Opset = 23 },
        new("RotaryEmbedding", "three axes", [Normal(2, 5, 12), Cos, Sin, Positions()], ("num_heads", 3)) { Opset = 23 },
        new("RotaryEmbedding", "part of the head, pairs", [Normal(2, 5, 18), Cos, Sin, Positions()],
            ("num_heads", 3), ("rotary_embedding_dim", 4), ("interleaved", 1)) { Opset = 23 },
    ];

    private static GradientCase Attention(int opset, string form, Arg?[] inputs, params (string, object?)[] attributes) =>
        new("Attention", form, inputs, attributes) { Opset = opset };

    private static Arg Positions() => LongsOf([2, 5], 0, 1, 2, 3, 4, 6, 5, 4, 2, 0);
}
