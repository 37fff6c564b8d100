namespace OnnxDistill.Runtime.Normalization;

/// <summary>What <see cref="ModelNormalizer"/> fixes and keeps.</summary>
public sealed record NormalizeOptions
{
    /// <summary>Size that every input's first extent gets where the file leaves it unknown, wherever the same symbol stands too; null leaves
    /// the batch a symbol. A first extent that the file fixes stays: change it through <see cref="Shapes"/>.</summary>
    public long? Batch { get; init; }

    /// <summary>Whole shapes by input name; they win over everything else, also over extents that the file fixes.</summary>
    public IReadOnlyDictionary<string, long[]> Shapes { get; init; } = new Dictionary<string, long[]>();

    /// <summary>Sizes by symbol, for instance <c>height</c>.</summary>
    public IReadOnlyDictionary<string, long> Symbols { get; init; } = new Dictionary<string, long>();

    /// <summary>Floating-point initializers of at least so many elements are weights: kept out of ONNX Runtime's reach. Two, because a bias or
    /// a norm's scale may be as short as that, while single numbers are constants (exponents, epsilons) that have to fold.</summary>
    public long LeastWeightElements { get; init; } = 2;

    /// <summary>Floating-point results of Constant and ConstantOfShape nodes of at least so many elements are weights too. More than for
    /// initializers, because exporters also write small tables as Constant nodes (interpolation scales, frequency ranges) that have to fold.</summary>
    public long LeastConstantElements { get; init; } = 64;
}
