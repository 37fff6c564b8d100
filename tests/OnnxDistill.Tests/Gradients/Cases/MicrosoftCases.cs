using OnnxDistill.Graph.Model;
using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Operators of ONNX Runtime's own domain, lowered to standard ones.</summary>
internal static class MicrosoftCases
{
    private static readonly long[] Sequence = [2, 3, 8];

    private static readonly Arg Gamma = Normal(8), Beta = Uniform(-1, 1, 8), Bias = Uniform(-2, 2, 8);

    // Small: queries and keys are both projected with it, and their products pass a softmax, which soon leaves little to measure.
    private static readonly Arg Projection = Uniform(-0.5, 0.5, 6, 24);

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        .. Elementwise(),
        .. Products(),
        .. Normalizations(),
        .. Attentions(),
    ];

    private static IEnumerable<GradientCase> Elementwise() =>
    [
        Of("BiasGelu", "last axis", [Normal(Sequence), Bias]),
        Of("FastGelu", "no bias", [Normal(Sequence)]),
        Of("FastGelu", "bias", [Normal(Sequence), Bias]),
        Of("Gelu", "exact", [Normal(Sequence)]),
        Of("QuickGelu", "alpha", [Normal(Sequence)], ("alpha", 1.3)),
        Of("QuickGelu", "standard alpha", [Normal(Sequence)]),
        Of("Trilu", "lower", [Normal(2, 4, 5)], ("upper", 0)),
    ];

    private static IEnumerable<GradientCase> Products() =>
    [
        Of("FusedMatMul", "alpha", [Normal(2, 3, 4), Normal(4, 5)], ("alpha", 0.7)),
        Of("FusedMatMul", "both transposed", [Normal(2, 4, 3), Normal(2, 5, 4)], ("transA", 1), ("transB", 1)),
        Of("FusedMatMul", "batch axes moved", [Normal(3, 2, 4), Normal(4, 2, 5)], ("transBatchA", 1), ("transBatchB", 1)),
        Of("FusedMatMul", "batch moved and transposed", [Normal(4, 2, 3), Normal(5, 2, 4)],
            ("transBatchA", 1), ("transBatchB", 1), ("transA", 1), ("transB", 1), ("alpha", 2.0)),
        Of("TransposeMatMul", "right transposed", [Normal(2, 3, 4), Normal(2, 5, 4)], ("transB", 1)),
        Of("FusedConv", "relu and sum", [Normal(1, 2, 5, 5), Normal(3, 2, 3, 3), Normal(3), Normal(1, 3, 5, 5)],
            ("activation", "Relu"), ("pads", new[] { 1, 1, 1, 1 }), ("kernel_shape", new[] { 3, 3 })),
        Of("FusedConv", "leaky", [Normal(1, 2, 5, 5), Normal(3, 2, 3, 3), Normal(3)],
            ("activation", "LeakyRelu"), ("activation_params", new[] { 0.1f }), ("kernel_shape", new[] { 3, 3 })),
        Of("FusedConv", "sigmoid, no bias", [Normal(1, 2, 5, 5), Normal(3, 2, 3, 3)], ("activation", "Sigmoid"), ("kernel_shape", new[] { 3, 3 })),
        Of("FusedGemm", "tanh", [Normal(3, 4), Normal(5, 4), Normal(5)], ("activation", "Tanh"), ("transB", 1), ("alpha", 0.5)),
        Of("FusedGemm", "leaky", [Normal(3, 4), Normal(4, 5)], ("activation", "LeakyRelu"), ("activation_alpha", 0.2)),
        Of("NhwcConv", "channels last", [Normal(1, 5, 5, 2), Normal(3, 3, 3, 2), Normal(3)], ("kernel_shape", new[] { 3, 3 })) with { HasNoKernel = true },
    ];

    private static IEnumerable<GradientCase> Normalizations() =>
    [
        Of("SkipLayerNormalization", "bias and sum", [Normal(Sequence), Normal(2, 3, 8), Gamma, Beta, Bias], ("epsilon", 1e-3))
            with { Outputs = 4, Without = [1, 2] },
        Of("SkipLayerNormalization", "no beta", [Normal(Sequence), Uniform(-1, 1, 2, 3, 8), Gamma]),
        Of("SkipSimplifiedLayerNormalization", "bias and sum", [Normal(Sequence), Uniform(-1, 1, 2, 3, 8), Gamma, Bias], ("epsilon", 1e-3))
            with { Outputs = 4, Without = [1, 2] },
        new("SimplifiedLayerNormalization", "standard domain", [Normal(Sequence), Gamma], ("axis", -1), ("epsilon", 1e-3)) { Opset = 17 },
        Of("SimplifiedLayerNormalization", "own domain", [Normal(Sequence), Gamma], ("axis", -1), ("epsilon", 1e-3)) with { HasNoKernel = true },
        Of("EmbedLayerNormalization", "words, positions, segments",
            [Ints([2, 3], 0, 3, 1, 2, 2, 0), Ints([2, 3], 0, 1, 1, 0, 0, 1), Normal(4, 8), Normal(3, 8), Normal(2, 8), Gamma, Beta], ("epsilon", 1e-3))
            with { Outputs = 3, Without = [1] },
        Of("GroupNorm", "channels last, swish", [Normal(2, 3, 3, 4), Normal(4), Uniform(-1, 1, 4)], ("groups", 2), ("activation", 1)) with { HasNoKernel = true },
        Of("GroupNorm", "channels first", [Normal(2, 4, 3, 3), Normal(4), Uniform(-1, 1, 4)], ("groups", 2), ("activation", 0), ("channels_last", 0))
            with { HasNoKernel = true },
        Of("SkipGroupNorm", "one number a channel", [Normal(2, 3, 3, 4), Normal(4), Uniform(-1, 1, 4), Normal(2, 4), Uniform(-2, 2, 4)],
            ("groups", 2), ("activation", 1)) with { Outputs = 2, HasNoKernel = true },
    ];

    private static IEnumerable<GradientCase> Attentions() =>
    [
        Of("MultiHeadAttention", "queries, keys, values", [Normal(2, 3, 8), Normal(2, 5, 8), Uniform(-1, 1, 2, 5, 8)], ("num_heads", 2)),
        Of("MultiHeadAttention", "bias, scale", [Normal(2, 3, 8), Normal(2, 5, 8), Uniform(-1, 1, 2, 5, 8), Normal(24)], ("num_heads", 2), ("scale", 0.4)),
        Of("MultiHeadAttention", "values of another width", [Normal(2, 3, 8), Normal(2, 5, 8), Normal(2, 5, 12), Normal(28)], ("num_heads", 2)),
        Of("MultiHeadAttention", "packed", [Normal(2, 3, 2, 3, 4)], ("num_heads", 2)) with { HasNoKernel = true },
        Of("MultiHeadAttention", "packed keys and values", [Normal(2, 3, 8), Normal(2, 5, 2, 2, 4)], ("num_heads", 2)) with { HasNoKernel = true },
        Of("MultiHeadAttention", "heads already split", [Normal(2, 3, 8), Normal(2, 2, 5, 4), Uniform(-1, 1, 2, 2, 5, 4)], ("num_heads", 2)),
        Of("MultiHeadAttention", "mask [N, L], attention bias",
            [Normal(2, 3, 8), Normal(2, 5, 8), Uniform(-1, 1, 2, 5, 8), null, Ints([2, 5], 1, 1, 0, 1, 1, 0, 1, 1, 1, 0), Normal(1, 2, 3, 5)], ("num_heads", 2)),
        Of("MultiHeadAttention", "lengths [N]",
            [Normal(2, 3, 8), Normal(2, 5, 8), Uniform(-1, 1, 2, 5, 8), null, Ints([2], 3, 5)], ("num_heads", 2)),
        Of("MultiHeadAttention", "unidirectional, past and present",
            [Normal(2, 3, 8), Normal(2, 3, 8), Uniform(-1, 1, 2, 3, 8), null, null, null, Normal(2, 2, 2, 4), Uniform(-1, 1, 2, 2, 2, 4)],
            ("num_heads", 2), ("unidirectional", 1)) with { Outputs = 3 },
        Of("Attention", "bias", [Normal(2, 3, 6), Projection, Normal(24)], ("num_heads", 2)),
        Of("Attention", "unidirectional, other width of values", [Normal(2, 3, 6), Uniform(-0.5, 0.5, 6, 20), Normal(20)],
            ("num_heads", 2), ("unidirectional", 1), ("qkv_hidden_sizes", new[] { 8, 8, 4 })),
        Of("Attention", "mask [N, L]", [Normal(2, 3, 6), Projection, Normal(24), Ints([2, 3], 1, 1, 0, 0, 1, 1)], ("num_heads", 2)),
        Of("Attention", "mask [N, S, L], attention bias",
            [Normal(2, 2, 6), Projection, Normal(24), Ints([2, 2, 2], 1, 0, 1, 1, 1, 1, 0, 1), null, Normal(2, 2, 2, 2)], ("num_heads", 2)),
        Of("Attention", "ends [N]", [Normal(2, 3, 6), Projection, Normal(24), Ints([2], 2, 3)], ("num_heads", 2)),
        Of("Attention", "ends and starts [2 N]", [Normal(2, 3, 6), Projection, Normal(24), Ints([4], 2, 3, 0, 1)], ("num_heads", 2)),
        Of("Attention", "past and present", [Normal(2, 3, 6), Projection, Normal(24), null, Normal(2, 2, 2, 1, 4)], ("num_heads", 2), ("unidirectional", 1))
            with { Outputs = 2 },
        Of("RotaryEmbedding", "positions of all, three axes",
            [Normal(2, 5, 12), LongsOf([2, 5], 0, 1, 2, 3, 4, 6, 5, 4, 2, 0), Uniform(-1, 1, 7, 2), Uniform(-1, 0.9, 7, 2)], ("num_heads", 3)),
        Of("RotaryEmbedding", "first position, four axes, pairs",
            [Normal(2, 3, 5, 4), LongsOf([1], 1), Uniform(-1, 1, 7, 2), Uniform(-1, 0.9, 7, 2)], ("interleaved", 1)),
    ];

    private static Arg Ints(long[] dims, params long[] numbers) => LongsOf(dims, numbers) with { Type = ElementType.Int32 };

    private static GradientCase Of(string op, string form, Arg?[] inputs, params (string, object?)[] attributes) =>
        new(op, form, inputs, attributes) { Domain = "com.microsoft" };
}
