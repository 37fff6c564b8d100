using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Io;

namespace OnnxDistill.Tests.Passes;

/// <summary>Small models for the passes, and the question whether two models compute the same.</summary>
internal static class PassModels
{
    /// <summary>A float value.</summary>
    public static Value Float(string name, params long[] dims) => new(name, ElementType.Float32, Shape.Of(dims));

    /// <summary>A constant.</summary>
    public static Value Constant(string name, TensorData data) => new(name, data.Type, data.Shape) { Constant = data };

    /// <summary>An integer without axes.</summary>
    public static Value Integer(string name, long number) => Constant(name, TensorData.Of([number], []));

    /// <summary>A graph of these parts.</summary>
    public static OnnxGraph GraphOf(string name, Value[] inputs, Node[] nodes, Value[] outputs, params Value[] initializers)
    {
        var graph = new OnnxGraph { Name = name };
        graph.Inputs.AddRange(inputs);
        graph.Nodes.AddRange(nodes);
        graph.Outputs.AddRange(outputs);
        graph.Initializers.AddRange(initializers);
        return graph;
    }

    /// <summary>The model over a graph.</summary>
    public static OnnxModel Model(OnnxGraph graph, int opset = OnnxModel.InnerOpset)
    {
        var model = new OnnxModel(graph) { IrVersion = 8 };
        model.Opsets[""] = opset;
        return model;
    }

    /// <summary>Asserts that both models give the same numbers bit by bit for random inputs.</summary>
    public static void AssertSame(OnnxModel expected, OnnxModel actual)
    {
        var random = new Random(9);
        var feeds = expected.Graph.Inputs.ToDictionary(static v => v.Name, v => OpsetCase.Random(random, v.Type, v.Shape.Sizes()));
        // Written and read again, as a user's file would be.
        var (a, b) = (OrtRuns.Run(OnnxWriter.ToBytes(expected), feeds), OrtRuns.Run(OnnxWriter.ToBytes(actual), feeds));
        Assert.HasCount(a.Count, b);
        foreach (var (x, y) in a.Zip(b))
        {
            Assert.AreEqual((x.Type, x.Shape), (y.Type, y.Shape));
            Assert.IsTrue(x.Bytes.SequenceEqual(y.Bytes), $"{string.Join(" ", x.Bytes.ToArray())}\n{string.Join(" ", y.Bytes.ToArray())}");
        }
    }

    /// <summary>Operators of a graph in order.</summary>
    public static string Operators(OnnxModel model) => string.Join(" ", model.Graph.Nodes.Select(static n => n.QualifiedOp).Where(static op => op != "Identity"));
}
