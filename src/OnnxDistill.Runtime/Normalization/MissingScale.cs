using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>Ones for a LayerNormalization without a scale: the standard demands one and ONNX Runtime loads no file without, but PyTorch 1.13 and
/// 2.0 leave it empty for a LayerNorm that has no weights (the adaptive normalisations of transformers).</summary>
internal static class MissingScale
{
    private const string OpType = "LayerNormalization";

    /// <summary>The nodes, with a scale of ones put before each such node that has none. Folding makes a constant of it.</summary>
    public static IEnumerable<Node> Add(IEnumerable<Node> nodes) =>
        nodes.SelectMany(node => node.OpType == OpType && node.Domain.Length == 0 && node.OptionalInput(1) is null ? WithScale(node) : [node]);

    private static List<Node> WithScale(Node node)
    {
        var nodes = new List<Node>();
        var x = node.Input(0);
        var extents = Emit("Shape", "extents", [x], ("start", node.Attributes.Int("axis", -1)));
        // To x's type, whichever that is.
        var one = Emit("CastLike", "one", [Emit("Constant", "one_number", [], ("value", TensorData.Scalar(1))), x]);
        var scale = Emit("Expand", "scale", [one, extents]);
        // Values of its own: the given model keeps its producers.
        var results = node.Outputs.Select(static o => o is null ? null : new Value(o.Name, o.Type, o.KnownShape));
        // ONNX Runtime 1.31.1 dies of an empty last input.
        nodes.Add(new Node(OpType, node.OptionalInput(2) is { } bias ? [x, scale, bias] : [x, scale], results, node.Attributes, node.Name));
        return nodes;

        Value Emit(string op, string role, Value[] inputs, params (string, object?)[] attributes)
        {
            var name = $"{node.Output.Name}/{role}";
            var output = new Value(name);
            nodes.Add(new Node(op, inputs, [output], new AttributeMap(attributes), name));
            return output;
        }
    }
}
