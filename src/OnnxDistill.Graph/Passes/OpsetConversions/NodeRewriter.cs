using System.Runtime.InteropServices;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>What a conversion sees and does: the node, and ways to put others in its place. Emitted values get their shapes where those of
/// the node are known.</summary>
internal sealed partial class NodeRewriter(Node node, long opset, OpsetWalk walk, OnnxGraph result)
{
    private readonly string _scope = node.Name.Length > 0 ? node.Name : node.Outputs.OfType<Value>().FirstOrDefault()?.Name ?? node.OpType;

    /// <summary>The node to convert.</summary>
    public Node Node { get; } = node;

    /// <summary>The opset that it comes from.</summary>
    public long Opset { get; } = opset;

    /// <summary>Why the node cannot be converted, or null.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The node's first input.</summary>
    public Value X => Node.Input(0);

    /// <summary>The element type of the computation; float32 where the graph does not tell.</summary>
    public ElementType Type => X.Type == ElementType.Undefined ? ElementType.Float32 : X.Type;

    /// <summary>Leaves the node as it is.</summary>
    public void Keep() => result.Nodes.Add(Node);

    /// <summary>Notes that the node cannot be converted.</summary>
    public void Refuse(string reason) => Refusal = reason;

    /// <summary>Whether the node could be converted if the shapes of its inputs were known.</summary>
    public bool LacksShapes { get; private set; }

    /// <summary>Notes that the node cannot be converted while something is not known that normalising the model tells.</summary>
    public void RefuseWithoutShapes(string what)
    {
        LacksShapes = true;
        Refuse($"{what} is not known; normalise the model first");
    }

    /// <summary>Puts a node under the old one's name that produces its outputs; outputs that nobody uses are left out on request.</summary>
    public void Replace(string opType, IEnumerable<Value?> inputs, AttributeMap? attributes = null, int? outputs = null) =>
        result.Nodes.Add(new Node(opType, inputs, Node.Outputs.Take(outputs ?? Node.Outputs.Length), attributes, Node.Name));

    /// <summary>Puts a formula in the node's place: what it emits last becomes the node's output. For conversions that need every shape.</summary>
    public void Lower(Func<GraphBuilder, Value> formula)
    {
        var builder = new GraphBuilder(Node.OpType);
        var output = formula(builder);
        if (builder.Graph.Nodes.Count == 0 || output.Producer != builder.Graph.Nodes[^1])
            throw new InvalidOperationException($"The conversion of {Node} does not end in what it returns.");
        foreach (var constant in builder.Graph.Initializers)
            constant.Name = walk.UniqueName($"{_scope}/{constant.Name}");
        result.Initializers.AddRange(builder.Graph.Initializers);
        foreach (var emitted in builder.Graph.Nodes.SkipLast(1))
        {
            foreach (var value in emitted.Outputs.OfType<Value>())
                value.Name = walk.UniqueName($"{_scope}/{value.Name}");
            emitted.Name = $"{_scope}/{emitted.Name}";
            result.Nodes.Add(emitted);
        }
        Replace(output.Producer.OpType, output.Producer.Inputs, output.Producer.Attributes);
    }

    /// <summary>Whether something uses the node's output of that number.</summary>
    public bool Uses(int output) => output < Node.Outputs.Length && Node.Outputs[output] is { } value && walk.IsUsed(value);

    /// <summary>A node with one output, of the computation's type unless said otherwise.</summary>
    public Value Emit(string opType, string role, Value?[] inputs, AttributeMap? attributes = null, Shape? shape = null,
        ElementType? type = null)
    {
        var output = new Value(walk.UniqueName($"{_scope}/{role}"), type ?? Type, shape);
        result.Nodes.Add(new Node(opType, inputs, [output], attributes, output.Name));
        return output;
    }

    /// <summary>An elementwise function of one value.</summary>
    public Value Unary(string opType, Value x, string role) => Emit(opType, role, [x], shape: x.KnownShape);

    /// <summary>An elementwise function of two values, broadcast.</summary>
    public Value Binary(string opType, Value a, Value b, string role) =>
        Emit(opType, role, [a, b], shape: a.KnownShape is { } s && b.KnownShape is { } t ? Shape.Broadcast(s, t) : null, type: Known(a.Type));

    /// <summary>The value in another shape. Extents that are not known are copied (0) or inferred (-1), as Reshape has it.</summary>
    public Value Reshape(Value x, string role, long[] target, Shape? shape = null) =>
        Emit("Reshape", role, [x, Constant(role + "_shape", target)], shape: shape, type: Known(x.Type));

    /// <summary>The shape of a value as a tensor: a constant where it is known.</summary>
    public Value ShapeOf(Value x, string role) => x.KnownShape is { IsStatic: true } shape
        ? Constant(role, shape.Sizes())
        : Emit("Shape", role, [x], shape: x.KnownShape is { } s ? Shape.Of(s.Rank) : null, type: ElementType.Int64);

    /// <summary>A list of integers.</summary>
    public Value Constant(string role, params long[] elements) => Constant(role, TensorData.Of(elements, elements.Length));

    /// <summary>A scalar of the computation's type.</summary>
    public Value Scalar(string role, double number) => Constant(role, Type != ElementType.BFloat16
        ? TensorData.Scalar(number, Type)
        : new TensorData(Type, [], MemoryMarshal.AsBytes<ushort>([BFloat16Bits((float)number)]).ToArray()));

    /// <summary>A constant tensor.</summary>
    public Value Constant(string role, TensorData data)
    {
        var value = new Value(walk.UniqueName($"{_scope}/{role}"), data.Type, data.Shape) { Constant = data };
        result.Initializers.Add(value);
        return value;
    }

    /// <summary>The tensor behind an initializer or a Constant node, or null.</summary>
    public static TensorData? ConstantOf(Value? value) =>
        value?.Constant ?? (value?.Producer is { OpType: "Constant", Domain: "" } constant ? constant.Attributes.Tensor("value") : null);

    private static ElementType? Known(ElementType type) => type == ElementType.Undefined ? null : type;

    /// <summary>The upper half of the float's bits, rounded to nearest, ties to even.</summary>
    private static ushort BFloat16Bits(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
