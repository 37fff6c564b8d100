using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Tests.Io;

/// <summary>Small models, and what tests of files share.</summary>
internal static class Models
{
    /// <summary>y = Relu(x W + b), with a Constant node, metadata and every kind of attribute somewhere.</summary>
    public static OnnxModel Everything()
    {
        var graph = new OnnxGraph { Name = "everything" };
        var x = new Value("x", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        var w = Initializer("w", TensorData.Of([1f, 2, 3, 4, 5, 6], 2, 3));
        var b = Initializer("b", TensorData.Of([0.5f, -0.5f, 0], 3));
        var (product, c, sum, y) = (new Value("product"), new Value("c"), new Value("sum"), new Value("y", ElementType.Float32, Shape.Of(Dim.Named("N"), 3)));
        graph.Inputs.Add(x);
        graph.Outputs.Add(y);
        graph.Initializers.AddRange([w, b]);
        graph.Nodes.Add(new Node("MatMul", [x, w], [product], name: "multiply"));
        graph.Nodes.Add(new Node("Constant", [], [c], new AttributeMap(("value", TensorData.Of([1L, 2], 2)))));
        graph.Nodes.Add(new Node("Add", [product, b], [sum], new AttributeMap(
            ("i", 3L), ("f", 0.25f), ("s", "text"), ("ints", new long[] { 1, -2 }), ("floats", new[] { 1.5f }), ("strings", new[] { "a", "ü" }),
            ("none", Array.Empty<long>()), ("words", new TensorData([2], ["p", "q"])), ("double", TensorData.Of([1.0, 2.0], 1, 2)))));
        graph.Nodes.Add(new Node("Custom", [sum, null, c], [y, null], domain: "example.test"));
        var model = new OnnxModel(graph) { Producer = "tests", Description = "all of it", IrVersion = 8 };
        model.Opsets["example.test"] = 3;
        model.Metadata["key"] = "value";
        return model;
    }

    public static Value Initializer(string name, TensorData data) => new(name, data.Type, data.Shape) { Constant = data };

    /// <summary>A model of one node with float inputs; what its inputs are called decides nothing.</summary>
    public static OnnxModel OfNode(string opType, long opset, AttributeMap? attributes = null, int outputs = 1, Shape? inputShape = null,
        params Value[] constants)
    {
        var graph = new OnnxGraph();
        var x = new Value("x", ElementType.Float32, inputShape);
        graph.Inputs.Add(x);
        graph.Initializers.AddRange(constants);
        var ys = Enumerable.Range(0, outputs).Select(static i => new Value($"y{i}", ElementType.Float32)).ToArray();
        graph.Outputs.Add(ys[0]);
        graph.Nodes.Add(new Node(opType, [x, .. constants], ys, attributes, "node"));
        var model = new OnnxModel(graph);
        model.Opsets[""] = opset;
        return model;
    }

    /// <summary>Fails unless the two models hold the same.</summary>
    public static void AssertSame(OnnxModel expected, OnnxModel actual)
    {
        Assert.AreEqual(expected.IrVersion, actual.IrVersion);
        Assert.AreEqual(expected.Producer, actual.Producer);
        Assert.AreEqual(expected.Description, actual.Description);
        CollectionAssert.AreEqual(expected.Opsets.ToArray(), actual.Opsets.ToArray());
        CollectionAssert.AreEqual(expected.Metadata.ToArray(), actual.Metadata.ToArray());
        AssertSame(expected.Graph, actual.Graph);
        Assert.HasCount(expected.Functions.Count, actual.Functions);
        foreach (var (f, g) in expected.Functions.Zip(actual.Functions))
        {
            Assert.AreEqual((f.Domain, f.Name), (g.Domain, g.Name));
            CollectionAssert.AreEqual(f.Attributes.ToArray(), g.Attributes.ToArray());
            CollectionAssert.AreEqual(f.Opsets.ToArray(), g.Opsets.ToArray());
            AssertSame(f.Defaults, g.Defaults, f.Name);
            AssertSame(f.Body, g.Body);
        }
    }

    private static void AssertSame(OnnxGraph expected, OnnxGraph actual)
    {
        Assert.AreEqual(expected.Name, actual.Name);
        AssertSame(expected.Inputs, actual.Inputs);
        AssertSame(expected.Outputs, actual.Outputs);
        AssertSame(expected.Initializers, actual.Initializers);
        Assert.HasCount(expected.Nodes.Count, actual.Nodes);
        foreach (var (n, m) in expected.Nodes.Zip(actual.Nodes))
        {
            Assert.AreEqual((n.Name, n.OpType, n.Domain), (m.Name, m.OpType, m.Domain));
            CollectionAssert.AreEqual(n.Inputs.Select(static v => v?.Name).ToArray(), m.Inputs.Select(static v => v?.Name).ToArray());
            CollectionAssert.AreEqual(n.Outputs.Select(static v => v?.Name).ToArray(), m.Outputs.Select(static v => v?.Name).ToArray());
            AssertSame(n.Attributes, m.Attributes, n.ToString());
        }
    }

    private static void AssertSame(AttributeMap expected, AttributeMap actual, string where)
    {
        CollectionAssert.AreEqual(expected.Select(static a => a.Key).ToArray(), actual.Select(static a => a.Key).ToArray(), where);
        foreach (var ((name, a), (_, b)) in expected.Zip(actual))
        {
            if (a is TensorData tensor)
                AssertSame(tensor, (TensorData)b, $"{name} of {where}");
            else if (a is OnnxGraph graph)
                AssertSame(graph, (OnnxGraph)b);
            else if (a is System.Collections.ICollection list)
                CollectionAssert.AreEqual(list, (System.Collections.ICollection)b, $"{name} of {where}");
            else
                Assert.AreEqual(a, b, $"{name} of {where}");
        }
    }

    private static void AssertSame(List<Value> expected, List<Value> actual)
    {
        Assert.HasCount(expected.Count, actual);
        foreach (var (v, w) in expected.Zip(actual))
        {
            Assert.AreEqual((v.Name, v.Type, v.KnownShape), (w.Name, w.Type, w.KnownShape));
            if (v.Constant is { } data)
                AssertSame(data, w.Constant, v.Name);
        }
    }

    public static void AssertSame(TensorData expected, TensorData? actual, string where)
    {
        Assert.IsNotNull(actual, where);
        Assert.AreEqual((expected.Type, expected.Shape), (actual.Type, actual.Shape), where);
        CollectionAssert.AreEqual(expected.Strings, actual.Strings, where);
        Assert.IsTrue(expected.Bytes.SequenceEqual(actual.Bytes), where);
    }
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("onnxdistill-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string File(string name, byte[] content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
