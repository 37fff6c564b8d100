using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>MeanVarianceNormalization in plain operators: ONNX Runtime 1.31.1 infers no shape of its result, so nothing behind it could be
/// differentiated, and has no CUDA kernel of it.</summary>
internal static class MeanVarianceLowering
{
    private const string OpType = "MeanVarianceNormalization";

    /// <summary>The nodes with y = (x - mean) / (sqrt(mean of (x - mean)^2) + 1e-9) in place of each such node. Constants come as nodes.</summary>
    public static IEnumerable<Node> Lower(IEnumerable<Node> nodes, long opset) =>
        nodes.SelectMany(node => node.OpType == OpType && node.Domain.Length == 0 ? Lower(node, opset) : [node]);

    private static List<Node> Lower(Node node, long opset)
    {
        var nodes = new List<Node>();
        long[] axes = node.Attributes.Ints("axes") ?? [0, 2, 3];
        // Up to 17 the axes of a reduction are an attribute.
        var list = opset < 18 ? null : Emit("Constant", "axes", [], ("value", TensorData.Of(axes, axes.Length)));
        var x = node.Input(0);
        var centred = Emit("Sub", "centred", [x, Mean("mean", x)]);
        var deviation = Emit("Sqrt", "deviation", [Mean("variance", Emit("Mul", "square", [centred, centred]))]);
        var epsilon = Emit("Constant", "epsilon", [], ("value", TensorData.Scalar(1e-9)));
        // To x's type, whichever that is; before CastLike there was, ONNX Runtime took float32 only.
        if (opset >= 15)
            epsilon = Emit("CastLike", "epsilon_like", [epsilon, x]);
        // A value of its own: the given model keeps its producers.
        var result = new Value(node.Output.Name, node.Output.Type, node.Output.KnownShape);
        nodes.Add(new Node("Div", [centred, Emit("Add", "stable", [deviation, epsilon])], [result], null, node.Name));
        return nodes;

        Value Mean(string role, Value of) => list is null
            ? Emit("ReduceMean", role, [of], ("axes", axes))
            : Emit("ReduceMean", role, [of, list]);

        Value Emit(string op, string role, Value[] inputs, params (string, object?)[] attributes)
        {
            var name = $"{node.Output.Name}/{role}";
            var output = new Value(name);
            nodes.Add(new Node(op, inputs, [output], new AttributeMap(attributes), name));
            return output;
        }
    }
}
