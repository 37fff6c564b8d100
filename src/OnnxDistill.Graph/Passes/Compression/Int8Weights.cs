using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Compression;

/// <summary>
/// before: MatMul(x, w) → after: MatMul(x, Cast(q → float32) * s), q = round(w / s) in int8, s = max|w| / 127 for each output channel. Weights of products and
/// tables of <see cref="LeastElements"/> numbers or more; biases, norms and everything that is computed stay float32.
/// </summary>
/// <remarks>Cast and Mul, not DequantizeLinear, which computes the same: every runtime folds constants when it loads a file, but ONNX Runtime leaves DequantizeLinear
/// nodes of constants alone (1.31.1, unless told session.disable_quant_qdq), computes the weights again at every run, and has no prepacked convolutions for them. On the
/// CPU the digits' generator took 1.4 times as long that way at a batch of 16; folded it is as fast as in float32.</remarks>
public sealed class Int8Weights : IGraphPass
{
    /// <summary>Smaller weights stay: less than a kilobyte is not worth a rounding.</summary>
    public const long LeastElements = 256;

    private const int Largest = 127;

    /// <inheritdoc/>
    public string Name => "int8 weights";

    /// <inheritdoc/>
    public int Run(OnnxGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var products = new ProductWeights(graph);
        var chosen = graph.Initializers.Where(static i => i.Constant is { Type: ElementType.Float32, Dims.Length: > 1 } data && data.ElementCount >= LeastElements)
            .Select(i => (Weight: i, Axis: products.OutputAxis(i))).Where(static c => c.Axis is not null).ToList();
        var builder = new GraphBuilder(graph);
        var nodes = new List<Node>();
        foreach (var (weight, axis) in chosen)
        {
            var data = weight.Constant!; // chosen for it
            if (Quantize(data, axis!.Value) is not var (numbers, scales))
                continue;
            // The float weight keeps its name and its users; only where it comes from is another.
            graph.Initializers.Remove(weight);
            weight.Constant = null;
            var stored = builder.Initializer(builder.Unique($"{weight.Name}:int8"), new TensorData(ElementType.Int8, data.Dims, numbers));
            var scale = builder.Initializer(builder.Unique($"{weight.Name}:scale"), TensorData.Of(scales, [.. data.Dims.Select((d, a) => a == axis ? d : 1)]));
            var cast = new Value(builder.Reserve($"{weight.Name}:cast"), ElementType.Float32, weight.KnownShape);
            nodes.Add(new Node("Cast", [stored], [cast], new AttributeMap(("to", ElementType.Float32)), builder.Reserve($"{weight.Name}/Cast")));
            nodes.Add(new Node("Mul", [cast, scale], [weight], null, builder.Reserve($"{weight.Name}/Mul")));
        }
        graph.Nodes.InsertRange(0, nodes);
        return nodes.Count / 2;
    }

    // Null where a number is not finite: such a weight has no scale.
    private static (byte[] Numbers, float[] Scales)? Quantize(TensorData data, int axis)
    {
        var values = data.As<float>();
        var channels = (int)data.Dims[axis];
        var inner = (int)data.Dims[(axis + 1)..].Aggregate(1L, static (n, d) => n * d);
        var scales = new float[channels];
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return null;
            scales[i / inner % channels] = Math.Max(scales[i / inner % channels], Math.Abs(values[i]));
        }
        for (var c = 0; c < channels; c++)
            scales[c] = scales[c] > 0 ? scales[c] / Largest : 1;
        var numbers = new byte[values.Length];
        for (var i = 0; i < values.Length; i++)
            numbers[i] = unchecked((byte)(sbyte)Math.Clamp(MathF.Round(values[i] / scales[i / inner % channels]), -Largest, Largest));
        return (numbers, scales);
    }
}
