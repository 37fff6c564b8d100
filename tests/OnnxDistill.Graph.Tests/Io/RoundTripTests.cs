using Google.Protobuf;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Tests.Io;

[TestClass]
public sealed class RoundTripTests
{
    [TestMethod]
    public void EveryPartOfAModelComesBack()
    {
        var model = Models.Everything();
        Models.AssertSame(model, OnnxReader.Read(OnnxWriter.ToBytes(model)));
    }

    [TestMethod]
    public void WritingIsDeterministicAndStable()
    {
        var bytes = OnnxWriter.ToBytes(Models.Everything());
        CollectionAssert.AreEqual(bytes, OnnxWriter.ToBytes(OnnxReader.Read(bytes)));
    }

    [TestMethod]
    public void EveryModelAtHandComesBackTheSame()
    {
        var folder = SharedData.Folder();
        var files = Directory.GetFiles(folder, "*.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        Assert.IsNotEmpty(files);
        foreach (var file in files)
        {
            var model = OnnxReader.Read(file);
            Models.AssertSame(model, OnnxReader.Read(OnnxWriter.ToBytes(model), what: file));
        }
    }

    [TestMethod]
    public void ExpectedOutputsOfTestDataAreRead()
    {
        var tensor = OnnxReader.ReadTensor(Path.Combine(SharedData.Folder(), "onnx-light", "light_squeezenet_output_0.pb"));
        Assert.AreEqual(ElementType.Float32, tensor.Type);
        Assert.AreEqual(1000, tensor.ElementCount);
    }

    [TestMethod]
    public void ValueInfoIsWrittenOnRequestAndReadBack()
    {
        var model = Models.Everything();
        var product = model.Graph.Nodes[0].Output;
        (product.Type, product.KnownShape) = (ElementType.Float32, Shape.Of(Dim.Named("N"), 3));

        Assert.IsNull(OnnxReader.Read(OnnxWriter.ToBytes(model)).Graph.Nodes[0].Output.KnownShape);
        var read = OnnxReader.Read(OnnxWriter.ToBytes(model, new WriteOptions { ValueInfo = true })).Graph.Nodes[0].Output;
        Assert.AreEqual((product.Type, product.KnownShape), (read.Type, read.KnownShape));
    }

    [TestMethod]
    public void UnnamedExtentsAreUnlikeEachOtherAndStayUnnamed()
    {
        var proto = ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(Models.Everything()));
        var dims = proto.Graph.Input[0].Type.TensorType.Shape.Dim;
        dims[0].ClearValue();
        dims[1].ClearValue();

        var model = OnnxReader.Read(proto.ToByteArray());
        var shape = model.Graph.Inputs[0].Shape;
        Assert.IsFalse(shape[0].IsKnown || shape[1].IsKnown);
        Assert.AreNotEqual(shape[0], shape[1]);
        var written = ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(model)).Graph.Input[0].Type.TensorType.Shape.Dim;
        Assert.IsTrue(written.All(static d => !d.HasDimParam && !d.HasDimValue));
    }

    [TestMethod]
    public void FunctionsComeBackWithReferencesAndDefaults()
    {
        var model = Models.Everything();
        var body = new OnnxGraph { Name = "Scale" };
        var (x, y) = (new Value("x"), new Value("y"));
        body.Inputs.Add(x);
        body.Outputs.Add(y);
        body.Nodes.Add(new Node("LeakyRelu", [x], [y], new AttributeMap(("alpha", new AttributeReference("slope", 1)))));
        model.Functions.Add(new OnnxFunction("example.test", "Scale", body, ["slope"], new AttributeMap(("bias", 1f)),
            new Dictionary<string, long> { [""] = 18 }));
        Models.AssertSame(model, OnnxReader.Read(OnnxWriter.ToBytes(model)));
    }

    [TestMethod]
    public void SubgraphsUseOuterValuesByName()
    {
        var model = Branching();
        var read = OnnxReader.Read(OnnxWriter.ToBytes(model));
        Models.AssertSame(model, read);
        var inner = (OnnxGraph)read.Graph.Nodes[^1].Attributes.Single(static a => a.Key == "then_branch").Value;
        Assert.AreEqual("doubled", inner.Nodes[0].Input(0).Name);
    }

    [TestMethod]
    public void NodesAreBroughtIntoOrderAlsoByWhatSubgraphsUse()
    {
        var model = Branching();
        model.Graph.Nodes.Reverse();
        var read = OnnxReader.Read(OnnxWriter.ToBytes(model));
        CollectionAssert.AreEqual(new[] { "Add", "If" }, read.Graph.Nodes.Select(static n => n.OpType).ToArray());
    }

    [TestMethod]
    public void InitializersThatAreInputsTooBecomeInitializersOnly()
    {
        var proto = ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(Models.Everything()));
        proto.IrVersion = 3;
        proto.Graph.Input.AddRange(new[] { "w", "b" }.Select(static n => new ValueInfoProto { Name = n }));
        var model = OnnxReader.Read(proto.ToByteArray());
        Assert.AreEqual("x", model.Graph.Inputs.Single().Name);
        Assert.HasCount(2, model.Graph.Initializers);

        var written = ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(model));
        CollectionAssert.AreEqual(new[] { "x", "w", "b" }, written.Graph.Input.Select(static v => v.Name).ToArray(), "IR version 3 wants them listed");
    }

    [TestMethod]
    public void StopGradientIsErasedOnWriting()
    {
        var graph = new OnnxGraph();
        var x = new Value("x", ElementType.Float32, Shape.Of(2));
        var (held, again, y, z) = (new Value("held"), new Value("again"), new Value("y", ElementType.Float32), new Value("z", ElementType.Float32));
        graph.Inputs.Add(x);
        graph.Outputs.AddRange([y, z]);
        graph.Nodes.Add(new Node("StopGradient", [x], [held], domain: "onnxdistill"));
        graph.Nodes.Add(new Node("StopGradient", [held], [again], domain: "onnxdistill"));
        graph.Nodes.Add(new Node("Exp", [again], [y]));
        graph.Nodes.Add(new Node("StopGradient", [again], [z], domain: "onnxdistill"));
        var model = new OnnxModel(graph);
        model.Opsets["onnxdistill"] = 1;

        var written = OnnxReader.Read(OnnxWriter.ToBytes(model));
        CollectionAssert.AreEqual(new[] { "Exp x -> y", "Identity x -> z" },
            written.Graph.Nodes.Select(static n => $"{n.OpType} {n.Input(0).Name} -> {n.Output.Name}").ToArray());
        CollectionAssert.AreEqual(new[] { "" }, written.Opsets.Keys.ToArray());
        Assert.HasCount(4, graph.Nodes, "the model in memory keeps its markers");
    }

    /// <summary>If(c) then doubled + doubled else x, where 'doubled' is made outside of the branch.</summary>
    private static OnnxModel Branching()
    {
        var graph = new OnnxGraph();
        var (c, x) = (new Value("c", ElementType.Bool, Shape.Scalar), new Value("x", ElementType.Float32, Shape.Of(2)));
        var (doubled, y) = (new Value("doubled"), new Value("y", ElementType.Float32, Shape.Of(2)));
        graph.Inputs.AddRange([c, x]);
        graph.Outputs.Add(y);
        graph.Nodes.Add(new Node("Add", [x, x], [doubled]));
        graph.Nodes.Add(new Node("If", [c], [y], new AttributeMap(
            ("then_branch", Branch("then", "Add", "doubled", "doubled")), ("else_branch", Branch("else", "Identity", "x")))));
        return new OnnxModel(graph);

        static OnnxGraph Branch(string name, string opType, params string[] inputs)
        {
            var branch = new OnnxGraph { Name = name };
            var result = new Value($"{name}_result", ElementType.Float32);
            branch.Outputs.Add(result);
            branch.Nodes.Add(new Node(opType, inputs.Select(static n => new Value(n)), [result]));
            return branch;
        }
    }
}
