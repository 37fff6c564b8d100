using System.Collections.Frozen;

namespace OnnxDistill.Graph.Passes.MixedPrecision;

/// <summary>
/// What may run in float16. Everything that is in none of the lists stays float32: exponentials, logarithms, powers, roots and quotients (range),
/// reductions, normalisations and softmax (sums of many terms, statistics), sines and cosines (time embeddings), resampling.
/// </summary>
internal static class HalfOperators
{
    /// <summary>The products, which are the work: they run in float16, and their float32 operands are cast.</summary>
    public static readonly FrozenSet<string> Products = Set("Conv ConvTranspose Einsum Gemm MatMul");

    /// <summary>Element by element, and cheap: in float16 where every operand is there already, so that no cast comes of it. Sums of two and
    /// comparisons round to what a float32 operation between the same operands would be cast to.</summary>
    public static readonly FrozenSet<string> Followers = Set(
        "Abs Add Clip Equal Greater GreaterOrEqual LeakyRelu Less LessOrEqual Max Min Mul Neg Relu Sigmoid Sub Tanh Where");

    /// <summary>What moves numbers and leaves them as they are: like the followers; also where all users want float16, because a cast before or
    /// after gives the same numbers and moving half the bytes is cheaper.</summary>
    public static readonly FrozenSet<string> Movers = Set(
        "Concat DepthToSpace Expand Flatten Gather GatherND Identity Pad Reshape Slice SpaceToDepth Split Squeeze Tile Transpose Unsqueeze");

    private static readonly FrozenSet<string> Choosers = Set("Abs Clip Max Min Neg Relu Where");

    /// <summary>Whether the operator gives numbers that its operands (or their negatives) have already, so that its result needs no rounding.</summary>
    public static bool KeepNumbers(string opType) => Movers.Contains(opType) || Choosers.Contains(opType);

    private static FrozenSet<string> Set(string names) => names.Split(' ').ToFrozenSet(StringComparer.Ordinal);
}
