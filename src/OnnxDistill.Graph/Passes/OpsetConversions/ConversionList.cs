using static OnnxDistill.Graph.Passes.OpsetConversions.AttributesToInputs;
using static OnnxDistill.Graph.Passes.OpsetConversions.SmallConversions;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Every conversion that <see cref="OpsetConverter"/> knows, sorted by operator and opset. An operator of opset 18 without a
/// line for the
/// model's opset has the same form there and is kept.</summary>
internal static class ConversionList
{
    private const int Newest = OpsetConverter.NewestOpset;

    private const string Quantized = "quantised models are not converted";

    /// <summary>The conversions: operator, first and last opset of the models in which it applies, what is done.</summary>
    public static IReadOnlyList<OpsetConversion> All { get; } =
    [
        new("AffineGrid", 20, Newest, ResamplingConversions.AffineGrid),
        new("Attention", 23, Newest, AttentionConversion.Lower),
        new("AveragePool", 10, Newest, PoolingConversions.Average),
        new("BatchNormalization", 7, 13, NormalizationConversions.Batch),
        new("Cast", 19, Newest, Cast),
        new("CastLike", 19, Newest, Cast),
        // A bound that is not there was the largest float and is now none: only infinities could tell.
        new("Clip", 7, 10, Move("min", "max")),
        new("Compress", 9, Newest, Compress),
        new("DFT", 20, Newest, Never("its axis became an input in opset 20")) { OnlyRefuses = true },
        new("DeformConv", 19, Newest, DeformConvConversion.Lower),
        new("DequantizeLinear", 19, Newest, Never(Quantized)) { OnlyRefuses = true },
        new("Dropout", 7, 11, Dropout),
        new("Gelu", 20, Newest, GeluConversion.Lower),
        new("GridSample", 20, Newest, ResamplingConversions.GridSample),
        new("GroupNormalization", 18, 20, NormalizationConversions.Group),
        new("GroupNormalization", 21, Newest, NormalizationConversions.Group),
        new("Hardmax", 7, 12, SoftmaxConversions.Coerced),
        new("LogSoftmax", 7, 12, SoftmaxConversions.Coerced),
        new("MaxPool", 10, Newest, PoolingConversions.Max),
        new("Pad", 7, 10, Move("pads", "value")),
        new("Pad", 19, Newest, PadConversions.Pad),
        new("QuantizeLinear", 19, Newest, Never(Quantized)) { OnlyRefuses = true },
        new("RMSNormalization", 23, Newest, NormalizationConversions.RootMeanSquare),
        new("ReduceL1", 7, 17, Move("axes")),
        new("ReduceL2", 7, 17, Move("axes")),
        new("ReduceLogSum", 7, 17, Move("axes")),
        new("ReduceLogSumExp", 7, 17, Move("axes")),
        new("ReduceMax", 7, 17, Move("axes")),
        new("ReduceMax", 20, Newest, KeepUnless(BooleanReduction)),
        new("ReduceMean", 7, 17, Move("axes")),
        new("ReduceMin", 7, 17, Move("axes")),
        new("ReduceMin", 20, Newest, KeepUnless(BooleanReduction)),
        new("ReduceProd", 7, 17, Move("axes")),
        new("ReduceSum", 7, 12, Move("axes")),
        new("ReduceSumSquare", 7, 17, Move("axes")),
        new("Resize", 10, 10, ResizeConversions.Resize10),
        new("Resize", 11, 17, ResizeConversions.Resize11),
        new("Resize", 19, Newest, ResizeConversions.Resize19),
        new("RoiAlign", 10, 15, RoiAlign),
        new("RotaryEmbedding", 23, Newest, RotaryConversion.Standard),
        new("Scan", 8, 8, Never("its form changed in opset 9")) { OnlyRefuses = true },
        new("Scatter", 9, 10, Rename("ScatterElements")),
        // ONNX Runtime's own, in the standard domain.
        new("SimplifiedLayerNormalization", 7, Newest, NormalizationConversions.RootMeanSquare),
        new("Slice", 7, 9, Move("starts", "ends", "axes")),
        new("Softmax", 7, 12, SoftmaxConversions.Coerced),
        new("Split", 7, 17, Split),
        new("Squeeze", 7, 12, Move("axes")),
        new("Swish", 24, Newest, Swish),
        new("TensorScatter", 24, Newest, TensorScatterConversion.Lower),
        new("TopK", 7, 9, Move("k")),
        new("Unsqueeze", 7, 12, Move("axes")),
        new("Upsample", 7, 9, ResizeConversions.Upsample),
    ];

    private static readonly ILookup<string, OpsetConversion> ByOperator = All.ToLookup(static c => c.OpType, StringComparer.Ordinal);

    /// <summary>The conversion for that operator in a model of that opset, or null.</summary>
    public static OpsetConversion? Find(string opType, long opset) =>
        ByOperator[opType].FirstOrDefault(c => opset >= c.From && opset <= c.To);
}
