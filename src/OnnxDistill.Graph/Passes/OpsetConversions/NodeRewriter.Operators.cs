using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Operators by name, for conversions that read like formulas. Shapes are left to the normalisation that follows.</summary>
internal sealed partial class NodeRewriter
{
    /// <summary>a + b, broadcast.</summary>
    public Value Add(Value a, Value b, string role) => Binary("Add", a, b, role);

    /// <summary>a * b, broadcast.</summary>
    public Value Mul(Value a, Value b, string role) => Binary("Mul", a, b, role);

    /// <summary>a - b, broadcast.</summary>
    public Value Sub(Value a, Value b, string role) => Binary("Sub", a, b, role);

    /// <summary>a / b, broadcast.</summary>
    public Value Div(Value a, Value b, string role) => Binary("Div", a, b, role);

    /// <summary>x + bias, or x where there is no bias.</summary>
    public Value AddIfAny(Value x, Value? bias, string role) => bias is null ? x : Add(x, bias, role);

    /// <summary>The matrix product.</summary>
    public Value MatMul(Value a, Value b, string role) => Emit("MatMul", role, [a, b], type: a.Type);

    /// <summary>x in another element type; x itself where it has that type.</summary>
    public Value Cast(Value x, ElementType to, string role) => x.Type == to ? x
        : Emit("Cast", role, [x], new AttributeMap(("to", to)), x.KnownShape, to);

    /// <summary>Axes in another order.</summary>
    public Value Transpose(Value x, string role, params long[] order) => Emit("Transpose", role, [x], new AttributeMap(("perm", order)),
        x.KnownShape is { } shape && shape.Rank == order.Length ? new Shape(order.Select(i => shape[(int)i])) : null, x.Type);

    /// <summary>Axes of extent 1 put in.</summary>
    public Value Unsqueeze(Value x, string role, params long[] axes) => Emit("Unsqueeze", role, [x, Constant($"{role}_axes", axes)], type: x.Type);

    /// <summary>Values joined along an axis.</summary>
    public Value Concat(string role, long axis, params Value[] values) => values.Length == 1 ? values[0]
        : Emit("Concat", role, values, new AttributeMap(("axis", axis)), type: values[0].Type);

    /// <summary>A part along one axis.</summary>
    public Value Slice(Value x, string role, long axis, long start, long end, long step = 1) => Emit("Slice", role,
        [x, Constant($"{role}_start", start), Constant($"{role}_end", end), Constant($"{role}_axis", axis), Constant($"{role}_step", step)], type: x.Type);

    /// <summary>Equal parts along an axis.</summary>
    public Value[] Split(Value x, string role, long axis, int parts)
    {
        var outputs = Enumerable.Range(0, parts).Select(i => new Value(walk.UniqueName($"{_scope}/{role}_{i}"), x.Type)).ToArray();
        result.Nodes.Add(new Node("Split", [x], outputs, new AttributeMap(("axis", axis), ("num_outputs", parts)), $"{_scope}/{role}"));
        return outputs;
    }

    /// <summary>Some of a value's extents as a list of integers: a constant where they are known.</summary>
    public Value Extents(Value x, string role, int start, int end)
    {
        if (x.KnownShape is { } shape)
        {
            var dims = shape.Skip(start < 0 ? start + shape.Rank : start).Take(end - start).ToList();
            if (dims.TrueForAll(static d => d.IsKnown))
                return Constant(role, [.. dims.Select(static d => d.Size)]);
        }
        // An end of 0 from behind means: to the last.
        return Emit("Shape", role, [x], new AttributeMap(("start", start), ("end", end == 0 && start < 0 ? null : end)), Shape.Of(end - start), ElementType.Int64);
    }

    /// <summary>The extent of one axis as a scalar integer.</summary>
    public Value Extent(Value x, string role, int axis) =>
        Emit("Squeeze", role, [Extents(x, $"{role}_list", axis, axis + 1)], shape: Shape.Scalar, type: ElementType.Int64);

    /// <summary>0, 1, ..., count - 1 for a scalar count.</summary>
    public Value Range(Value count, string role) => Emit("Range", role,
        [Constant($"{role}_from", TensorData.Of([0L], [])), count, Constant($"{role}_step", TensorData.Of([1L], []))], type: ElementType.Int64);

    /// <summary>A comparison or a logical function.</summary>
    public Value Truth(string opType, string role, params Value[] inputs) => Emit(opType, role, inputs, type: ElementType.Bool);

    /// <summary>x where the condition holds, else y.</summary>
    public Value Where(Value condition, Value x, Value y, string role) => Emit("Where", role, [condition, x, y], type: x.Type);

    /// <summary>Lets the node's output of that number be this value; nothing where nobody uses the output.</summary>
    public void Finish(Value value, int output = 0)
    {
        if (output >= Node.Outputs.Length || Node.Outputs[output] is not { } wanted)
            return;
        result.Nodes.Add(new Node("Identity", [value], [wanted], null, output == 0 ? Node.Name : wanted.Name));
    }
}
