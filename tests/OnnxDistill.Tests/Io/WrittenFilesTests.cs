using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Io;

/// <summary>What the writer writes is what ONNX Runtime reads.</summary>
[TestClass]
public sealed class WrittenFilesTests
{
    private static readonly IReadOnlyDictionary<string, TensorData> Feeds = new Dictionary<string, TensorData> { ["x"] = TensorData.Of([1f, -2f], 2) };

    [TestMethod]
    public void ExternalDataIsFoundBesideTheModel()
    {
        var folder = Directory.CreateTempSubdirectory("onnxdistill-").FullName;
        try
        {
            var path = Path.Combine(folder, "model.onnx");
            OnnxWriter.Write(Product(), path, new ExternalDataOptions { MinimumBytes = 0 });
            CollectionAssert.AreEqual(new[] { 3f, -8f }, OrtRuns.Run(path, Feeds)[0].As<float>().ToArray());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void MarkedValuesRunUnmarkedAlsoInsideBranches()
    {
        var graph = new OnnxGraph();
        var (x, positive) = (new Value("x", ElementType.Float32, Shape.Of(2)), new Value("positive", ElementType.Bool, Shape.Scalar) { Constant = TensorData.Of([true], []) });
        var (held, y, z) = (new Value("held"), new Value("y", ElementType.Float32), new Value("z", ElementType.Float32));
        graph.Inputs.Add(x);
        graph.Initializers.Add(positive);
        graph.Outputs.AddRange([y, z]);
        graph.Nodes.Add(new Node("StopGradient", [x], [held], domain: "onnxdistill"));
        graph.Nodes.Add(new Node("If", [positive], [y], new AttributeMap(("then_branch", Branch("Neg")), ("else_branch", Branch("Abs")))));
        graph.Nodes.Add(new Node("StopGradient", [held], [z], domain: "onnxdistill"));

        var outputs = OrtRuns.Run(OnnxWriter.ToBytes(new OnnxModel(graph)), Feeds);
        CollectionAssert.AreEqual(new[] { -1f, 2f }, outputs[0].As<float>().ToArray());
        CollectionAssert.AreEqual(new[] { 1f, -2f }, outputs[1].As<float>().ToArray());

        static OnnxGraph Branch(string opType)
        {
            var branch = new OnnxGraph { Name = opType };
            var result = new Value($"{opType}_result", ElementType.Float32);
            branch.Outputs.Add(result);
            branch.Nodes.Add(new Node(opType, [new Value("held")], [result]));
            return branch;
        }
    }

    /// <summary>The reader lets a later import of one domain replace an earlier one because ONNX Runtime does: Softmax at opset 12 would
    /// normalise over both axes, at 13 over the last.</summary>
    [TestMethod]
    [DataRow(12, 13)]
    [DataRow(13, 12)]
    public void TheLastOfTwoImportsOfADomainCounts(int first, int last)
    {
        var graph = new OnnxGraph();
        var (x, y) = (new Value("x", ElementType.Float32, Shape.Of(1, 2, 2)), new Value("y", ElementType.Float32));
        graph.Inputs.Add(x);
        graph.Outputs.Add(y);
        graph.Nodes.Add(new Node("Softmax", [x], [y]));
        var model = new OnnxModel(graph) { IrVersion = 8 };
        model.Opsets[""] = first;
        // ModelProto.opset_import (field 8) once more: 2 bytes, version (field 2) = last.
        byte[] bytes = [.. OnnxWriter.ToBytes(model), 0x42, 2, 0x10, (byte)last];

        Assert.AreEqual(last, OnnxReader.Read(bytes).Opset);
        var element = OrtRuns.Run(bytes, new Dictionary<string, TensorData> { ["x"] = TensorData.Of(new float[4], 1, 2, 2) })[0].As<float>()[0];
        Assert.AreEqual(last == 12 ? 0.25f : 0.5f, element, 1e-6f);
    }

    private static OnnxModel Product()
    {
        var graph = new OnnxGraph();
        var (x, y) = (new Value("x", ElementType.Float32, Shape.Of(2)), new Value("y", ElementType.Float32));
        var w = new Value("w", ElementType.Float32, Shape.Of(2)) { Constant = TensorData.Of([3f, 4f], 2) };
        graph.Inputs.Add(x);
        graph.Initializers.Add(w);
        graph.Outputs.Add(y);
        graph.Nodes.Add(new Node("Mul", [x, w], [y]));
        return new OnnxModel(graph);
    }
}
