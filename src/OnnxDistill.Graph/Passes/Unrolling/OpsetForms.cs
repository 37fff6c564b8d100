using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Inlining;

namespace OnnxDistill.Graph.Passes.Unrolling;

/// <summary>The few operators that unrolling emits, in the form of the graph's own opset.</summary>
internal sealed class OpsetForms(OnnxGraph graph, NameSource names, long opset)
{
    /// <summary>The first opset in which Squeeze, Unsqueeze and Split take lists as inputs.</summary>
    private const long ListsAreInputs = 13;

    /// <summary>A constant.</summary>
    public Value Constant(string name, TensorData data)
    {
        var value = new Value(names.Unique(name), data.Type, data.Shape) { Constant = data };
        graph.Initializers.Add(value);
        return value;
    }

    /// <summary>One place along an axis, which then is gone.</summary>
    public Value Take(Value x, int axis, long at, string name) =>
        Emit("Gather", name, x.Type, [x, Constant($"{name}_at", TensorData.Of([at], []))], ("axis", axis));

    /// <summary>Values side by side along a new axis.</summary>
    public void Stack(IReadOnlyList<Value> values, long axis, Value output) => Join([.. values.Select(v => Unsqueeze(v, axis, output.Name))], axis, output);

    /// <summary>Values side by side along an axis.</summary>
    public void Join(IReadOnlyList<Value> values, long axis, Value output) =>
        graph.Nodes.Add(new Node("Concat", values, [output], new AttributeMap(("axis", axis)), output.Name));

    /// <summary>Parts of these lengths along an axis.</summary>
    public Value[] Split(Value x, long axis, long[] lengths, string name)
    {
        var outputs = lengths.Select((_, i) => new Value(names.Unique($"{name}/{i}"), x.Type)).ToArray();
        graph.Nodes.Add(opset >= ListsAreInputs
            ? new Node("Split", [x, Constant($"{name}/lengths", TensorData.Of(lengths, lengths.Length))], outputs, new AttributeMap(("axis", axis)), name)
            : new Node("Split", [x], outputs, new AttributeMap(("axis", axis), ("split", lengths)), name));
        return outputs;
    }

    /// <summary>x without an axis of extent 1.</summary>
    public Value Squeeze(Value x, long axis, string name) => WithAxis("Squeeze", x, axis, name);

    /// <summary>x itself under another name.</summary>
    public void Same(Value x, Value output) => graph.Nodes.Add(new Node("Identity", [x], [output], null, output.Name));

    private Value Unsqueeze(Value x, long axis, string name) => WithAxis("Unsqueeze", x, axis, $"{name}/part");

    private Value WithAxis(string op, Value x, long axis, string name) => opset >= ListsAreInputs
        ? Emit(op, name, x.Type, [x, Constant($"{name}_axis", TensorData.Of([axis], 1))])
        : Emit(op, name, x.Type, [x], ("axes", new[] { axis }));

    private Value Emit(string op, string name, ElementType type, Value[] inputs, params (string, object?)[] attributes)
    {
        var output = new Value(names.Unique(name), type);
        graph.Nodes.Add(new Node(op, inputs, [output], new AttributeMap(attributes), output.Name));
        return output;
    }
}
