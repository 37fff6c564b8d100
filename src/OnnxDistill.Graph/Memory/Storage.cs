using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Memory;

/// <summary>How values lie in memory when ONNX Runtime runs a graph: what owns bytes, what is another name of them, what may be overwritten.</summary>
internal static class Storage
{
    // Operators whose kernel may write its result over its first input when nobody needs that any more (ONNX Runtime's CPU kernels, MayInplace).
    private static readonly HashSet<string> InPlace = new(StringComparer.Ordinal)
    {
        "Abs", "Add", "Cast", "Ceil", "Clip", "Cos", "Div", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "LogSoftmax", "Max",
        "Min", "Mul", "Neg", "Not", "Pow", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softmax", "Softplus", "Softsign", "Sqrt", "Sub",
        "Sum", "Tanh", "ThresholdedRelu",
    };

    // Both operands of these may be overwritten.
    private static readonly HashSet<string> Binary = new(StringComparer.Ordinal) { "Add", "Div", "Mul", "Sub" };

    /// <summary>Whether the node only gives bytes another shape.</summary>
    public static bool IsView(Node node) => StopGradientMarker.Is(node)
        || node is { Domain: "", OpType: "Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" or "Identity" };

    /// <summary>The value that owns the bytes.</summary>
    public static Value Owner(Value value)
    {
        while (value.Producer is { } producer && IsView(producer))
            value = producer.Input(0);
        return value;
    }

    /// <summary>Bytes of a value of static shape; others count as nothing.</summary>
    public static long Bytes(Value value) => value.KnownShape is { IsStatic: true } shape ? shape.ElementCount * value.Type.Size() : 0;

    /// <summary>The inputs that the node's first output may overwrite.</summary>
    public static IEnumerable<Value> Overwritable(Node node) => node.Domain.Length > 0 || !InPlace.Contains(node.OpType) ? []
        : node.Inputs.Take(Binary.Contains(node.OpType) ? 2 : 1).OfType<Value>();
}
