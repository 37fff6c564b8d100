using OnnxDistill.Graph.Model;
using static OnnxDistill.Graph.Passes.OpsetConversions.SmallConversions;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>The operators of ONNX Runtime's own domain that are lowered: those which its optimizer and the exporters built on it leave in a file.
/// All others are refused by name.</summary>
internal static class MicrosoftOps
{
    /// <summary>Their domain.</summary>
    public const string Domain = "com.microsoft";

    private const int Oldest = OpsetConverter.OldestOpset, Newest = OpsetConverter.NewestOpset;

    /// <summary>The conversions, whatever the model's opset.</summary>
    public static IReadOnlyList<OpsetConversion> All { get; } =
    [
        Of("Attention", MicrosoftAttention.Packed),
        Of("BiasGelu", GeluConversion.Biased),
        Of("EmbedLayerNormalization", MicrosoftNormalization.Embedding),
        Of("FastGelu", GeluConversion.Fast),
        Of("FusedConv", MicrosoftFusions.Conv),
        Of("FusedGemm", MicrosoftFusions.Gemm),
        Of("FusedMatMul", MicrosoftFusions.MatMul),
        Of("Gelu", GeluConversion.Lower),
        Of("GroupNorm", MicrosoftNormalization.Group),
        Of("MultiHeadAttention", MicrosoftAttention.MultiHead),
        Of("NhwcConv", MicrosoftFusions.NhwcConv),
        Of("QuickGelu", GeluConversion.Quick),
        Of("RotaryEmbedding", RotaryConversion.Microsoft),
        Of("SimplifiedLayerNormalization", NormalizationConversions.RootMeanSquare),
        Of("SkipGroupNorm", MicrosoftNormalization.SkipGroup),
        Of("SkipLayerNormalization", MicrosoftNormalization.SkipLayer),
        Of("SkipSimplifiedLayerNormalization", MicrosoftNormalization.SkipRootMeanSquare),
        Of("TransposeMatMul", MicrosoftFusions.MatMul),
        Of("Trilu", Rename("Trilu")),
    ];

    private static readonly ILookup<string, OpsetConversion> ByOperator = All.ToLookup(static c => c.OpType, StringComparer.Ordinal);

    /// <summary>The conversion of that node, or null.</summary>
    public static OpsetConversion? Find(Node node) => node.Domain == Domain ? ByOperator[node.OpType].FirstOrDefault() : null;

    private static OpsetConversion Of(string opType, Action<NodeRewriter> apply) => new(opType, Oldest, Newest, apply);
}
