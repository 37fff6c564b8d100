using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Verification;

/// <summary>Numbers for the weights of a model that has none: light models give each weight's shape (ConstantOfShape) and one number for all of
/// it, at which a network is symmetric in its channels and often infinite.</summary>
internal static class RandomWeights
{
    private const double SmallSize = 0.1;

    /// <summary>The weight of that name filled at random, by what the graph uses it for: kernels and matrices keep the size of what passes them
    /// (He et al., "Delving Deep into Rectifiers", 2015, equation 10), scales and variances lie around 1, everything else is small.</summary>
    public static TensorData For(OnnxGraph graph, Value weight, long seed)
    {
        var dims = weight.Shape.Sizes();
        var draws = new float[weight.Shape.ElementCount];
        var noise = new NoiseStream(seed, StreamId.Named($"weight/{weight.Name}"));
        if (graph.Nodes.Exists(n => IsAroundOne(n, weight)))
        {
            noise.FillUniform(draws, 0);
            return Of(weight.Type, draws, static u => 0.75 + (u / 2), dims);
        }
        noise.FillNormal(draws, 0);
        var size = dims.Length < 2 ? SmallSize : Math.Sqrt(2 / FanIn(graph, weight, dims));
        return Of(weight.Type, draws, x => size * x, dims);
    }

    // Scale and variance of a normalisation.
    private static bool IsAroundOne(Node node, Value weight) => node.OpType switch
    {
        "BatchNormalization" => node.OptionalInput(1) == weight || node.OptionalInput(4) == weight,
        "InstanceNormalization" or "LayerNormalization" or "GroupNormalization" => node.OptionalInput(1) == weight,
        // Exporters of the time wrote BatchNormalization's scale as a factor of its own: [C, 1, 1].
        "Mul" => weight.Shape.Rank == 3 && weight.Shape[1] == 1 && Array.IndexOf(node.Inputs, weight) >= 0,
        _ => false,
    };

    /// <summary>How many numbers each output sums: all axes but the first, or the first of a matrix that is multiplied from the right.</summary>
    private static double FanIn(OnnxGraph graph, Value weight, long[] dims)
    {
        var fromRight = graph.Nodes.Exists(n => n.OptionalInput(1) == weight
            && (n.OpType == "MatMul" || (n.OpType == "Gemm" && n.Attributes.Int("transB", 0) == 0)));
        return Math.Max(1, fromRight ? dims[^2] : dims.Skip(1).Aggregate(1L, static (a, b) => a * b));
    }

    private static TensorData Of(ElementType type, float[] draws, Func<float, double> map, long[] dims) => type == ElementType.Float64
        ? TensorData.Of(Array.ConvertAll(draws, d => map(d)), dims)
        : TensorData.Of(Array.ConvertAll(draws, d => (float)map(d)), dims);
}
