using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Runtime;

/// <summary>Graphs of a few nodes, written out.</summary>
internal static class SmallGraphs
{
    /// <summary>A float input or value.</summary>
    public static Value Float(string name, params ReadOnlySpan<Dim> dims) => new(name, ElementType.Float32, Shape.Of(dims));

    /// <summary>An initializer.</summary>
    public static Value Constant(string name, TensorData data) => new(name, data.Type, data.Shape) { Constant = data };

    /// <summary>A model of these parts.</summary>
    public static OnnxModel Model(IEnumerable<Value> inputs, IEnumerable<Node> nodes, IEnumerable<Value> outputs, params Value[] initializers)
    {
        var graph = new OnnxGraph { Name = "small" };
        graph.Inputs.AddRange(inputs);
        graph.Nodes.AddRange(nodes);
        graph.Outputs.AddRange(outputs);
        graph.Initializers.AddRange(initializers);
        return new OnnxModel(graph);
    }

    /// <summary>y = x w + b, with the batch N.</summary>
    public static OnnxModel Affine()
    {
        var (x, w, b) = (Float("x", Dim.Named("N"), 3), Float("w", 3, 2), Float("b", 2));
        var (product, y) = (new Value("product"), Float("y", Dim.Named("N"), 2));
        return Model([x, w, b], [new Node("MatMul", [x, w], [product]), new Node("Add", [product, b], [y])], [y]);
    }

    /// <summary>One step of a linear recurrence: next = decay * state + force; sum = total of next.</summary>
    public static OnnxModel Step(int count)
    {
        var (state, force, decay) = (Float("state", count), Float("force", count), Constant("decay", TensorData.Of([0.5f], [])));
        var (kept, next, sum) = (new Value("kept"), Float("next", count), Float("sum"));
        return Model([state, force],
            [
                new Node("Mul", [state, decay], [kept]),
                new Node("Add", [kept, force], [next]),
                new Node("ReduceSum", [next], [sum], new AttributeMap(("keepdims", 0))),
            ], [next, sum], decay);
    }
}
