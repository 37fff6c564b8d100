using OnnxDistill.Graph.Autodiff.Rules;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff;

/// <summary>Every operator that can be differentiated, and every one through which nothing flows. No reflection: this list is the documentation.</summary>
public static class GradientRules
{
    private static readonly SortedDictionary<string, IGradientRule> Rules = Build();

    /// <summary>Operators with a rule, sorted by name.</summary>
    public static IReadOnlyDictionary<string, IGradientRule> All => Rules;

    /// <summary>Operators through which no gradient flows: their result is piecewise constant, random or not floating.</summary>
    public static IReadOnlySet<string> NoGradient { get; } = new SortedSet<string>(StringComparer.Ordinal)
    {
        "And", "ArgMax", "ArgMin", "Bernoulli", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Ceil", "Constant",
        "ConstantOfShape", "Equal", "EyeLike", "Floor", "Greater", "GreaterOrEqual", "Hardmax", "IsInf", "IsNaN", "Less", "LessOrEqual",
        "Multinomial", "NonZero", "Not", "Or", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
        "Round", "Shape", "Sign", "Size", "Xor",
    };

    /// <summary>The rule of a node's operator, or null when there is none.</summary>
    public static IGradientRule? Find(Node node) => node.Domain.Length == 0 ? Rules.GetValueOrDefault(node.OpType) : null;

    /// <summary>Whether nothing flows through the node by definition.</summary>
    public static bool IsNoGradient(Node node) => StopGradientMarker.Is(node) || (node.Domain.Length == 0 && NoGradient.Contains(node.OpType));

    private static SortedDictionary<string, IGradientRule> Build()
    {
        var rules = new SortedDictionary<string, IGradientRule>(StringComparer.Ordinal)
        {
            ["AveragePool"] = new AveragePoolRule(),
            ["BatchNormalization"] = new BatchNormalizationRule(),
            ["CenterCropPad"] = new CenterCropPadRule(),
            ["Clip"] = new ClipRule(),
            ["Col2Im"] = new Col2ImRule(),
            ["Concat"] = new ConcatRule(),
            ["Conv"] = new ConvRule(),
            ["ConvTranspose"] = new ConvTransposeRule(),
            ["CumSum"] = new CumSumRule(),
            ["DepthToSpace"] = new DepthToSpaceRule(),
            ["Det"] = new DetRule(),
            ["Dropout"] = new DropoutRule(),
            ["Einsum"] = new EinsumRule(),
            ["Expand"] = new ExpandRule(),
            ["Flatten"] = new ReshapeRule(),
            ["Gather"] = new GatherRule(),
            ["GatherElements"] = new GatherElementsRule(),
            ["GatherND"] = new GatherNDRule(),
            ["Gemm"] = new GemmRule(),
            ["GlobalAveragePool"] = new GlobalAveragePoolRule(),
            ["GlobalLpPool"] = new GlobalLpPoolRule(),
            ["GlobalMaxPool"] = new GlobalMaxPoolRule(),
            ["GridSample"] = new GridSampleRule(),
            ["InstanceNormalization"] = new InstanceNormalizationRule(),
            ["LRN"] = new LocalResponseNormalizationRule(),
            ["LayerNormalization"] = new LayerNormalizationRule(),
            ["LogSoftmax"] = new LogSoftmaxRule(),
            ["LpNormalization"] = new LpNormalizationRule(),
            ["LpPool"] = new LpPoolRule(),
            ["MatMul"] = new MatMulRule(),
            ["MaxPool"] = new MaxPoolRule(),
            ["MaxUnpool"] = new MaxUnpoolRule(),
            ["MeanVarianceNormalization"] = new MeanVarianceNormalizationRule(),
            ["OneHot"] = new OneHotRule(),
            ["Pad"] = new PadRule(),
            ["Range"] = new RangeRule(),
            ["ReduceL1"] = new ReduceL1Rule(),
            ["ReduceL2"] = new ReduceL2Rule(),
            ["ReduceLogSum"] = new ReduceLogSumRule(),
            ["ReduceLogSumExp"] = new ReduceLogSumExpRule(),
            ["ReduceMax"] = new ReduceExtremeRule(),
            ["ReduceMean"] = new ReduceMeanRule(),
            ["ReduceMin"] = new ReduceExtremeRule(),
            ["ReduceProd"] = new ReduceProdRule(),
            ["ReduceSum"] = new ReduceSumRule(),
            ["ReduceSumSquare"] = new ReduceSumSquareRule(),
            ["Reshape"] = new ReshapeRule(),
            ["Resize"] = new ResizeRule(),
            ["ReverseSequence"] = new ReverseSequenceRule(),
            ["ScatterElements"] = new ScatterElementsRule(),
            ["ScatterND"] = new ScatterNDRule(),
            ["Slice"] = new SliceRule(),
            ["Softmax"] = new SoftmaxRule(),
            ["SpaceToDepth"] = new SpaceToDepthRule(),
            ["Split"] = new SplitRule(),
            ["Squeeze"] = new ReshapeRule(),
            ["Tile"] = new TileRule(),
            ["TopK"] = new TopKRule(),
            ["Transpose"] = new TransposeRule(),
            ["Trilu"] = new TriluRule(),
            ["Unsqueeze"] = new ReshapeRule(),
        };
        foreach (var (op, gradient) in ElementwiseRules.Table.Concat(ActivationRules.Table).Concat(TrigonometricRules.Table))
            rules.Add(op, new ElementwiseRule(gradient));
        return rules;
    }
}
