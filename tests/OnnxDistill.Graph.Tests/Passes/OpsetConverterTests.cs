using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.OpsetConversions;
using OnnxDistill.Graph.Tests.Io;

namespace OnnxDistill.Graph.Tests.Passes;

/// <summary>Form and refusals; that the numbers stay the same is tested on ONNX Runtime in OnnxDistill.Tests.</summary>
[TestClass]
public sealed class OpsetConverterTests
{
    [TestMethod]
    public void TheListIsSortedAndNoTwoLinesOverlap()
    {
        foreach (var (a, b) in ConversionList.All.Zip(ConversionList.All.Skip(1)))
        {
            Assert.IsTrue(string.CompareOrdinal(a.OpType, b.OpType) is var order && (order < 0 || (order == 0 && a.To < b.From)),
                $"{a.OpType} {a.From}-{a.To} stands before {b.OpType} {b.From}-{b.To}");
        }
        Assert.IsTrue(ConversionList.All.All(static c => c.From <= c.To && c.From >= OpsetConverter.OldestOpset && c.To <= OpsetConverter.NewestOpset));
    }

    [TestMethod]
    public void ModelsAtHandBecomeSound()
    {
        foreach (var file in Directory.GetFiles(SharedData.Folder(), "*.onnx", SearchOption.AllDirectories)
            .Where(static f => !f.Contains("ort-training-api", StringComparison.Ordinal)))
        {
            var original = OnnxDistill.Graph.Io.OnnxReader.Read(file);
            var converted = OpsetConverter.Convert(original);
            CollectionAssert.AreEqual(Array.Empty<string>(), GraphChecker.Findings(converted, [.. original.Opsets.Keys]).ToArray(), file);
            CollectionAssert.AreEqual(original.Graph.Inputs.Concat(original.Graph.Outputs).Select(static v => v.ToString()).ToArray(),
                converted.Graph.Inputs.Concat(converted.Graph.Outputs).Select(static v => v.ToString()).ToArray());
        }
    }

    [TestMethod]
    public void EveryNodeThatCannotBeConvertedIsNamed()
    {
        var model = Models.OfNode("DFT", 24);
        var x = model.Graph.Inputs[0];
        model.Graph.Nodes.Add(new Node("RegexFullMatch", [x], [new Value("a")], name: "text"));
        model.Graph.Nodes.Add(new Node("Normalizer", [x], [new Value("b")], null, "classic", "ai.onnx.ml"));
        model.Graph.Nodes.Add(new Node("Unique", [x], [new Value("c")], null, "own", "com.microsoft"));
        model.Graph.Nodes.Add(new Node("Pad", [x], [new Value("p")], new AttributeMap(("mode", "wrap")), "around"));
        var message = Assert.ThrowsExactly<UnsupportedOpException>(() => OpsetConverter.Convert(model)).Message;
        foreach (var said in new[] { "opset 24", "DFT 'node'", "RegexFullMatch 'text'", "ai.onnx.ml::Normalizer 'classic'",
            "com.microsoft::Unique 'own'", "Pad 'around'", "wrap" })
            StringAssert.Contains(message, said);
    }

    [TestMethod]
    [DataRow(6)]
    [DataRow(26)]
    public void OpsetsOutsideTheRangeAreRefused(int opset) => StringAssert.Contains(
        Assert.ThrowsExactly<UnsupportedOpException>(() => OpsetConverter.Convert(Models.OfNode("Relu", opset))).Message, $"opset {opset}");

    [TestMethod]
    public void MetadataStayAndOtherDomainsAreRefused()
    {
        var model = Models.OfNode("Relu", 21);
        model.Metadata["key"] = "value";
        model.Opsets["example.test"] = 3;
        var converted = OpsetConverter.Convert(model);
        Assert.AreEqual(18, converted.Opset);
        Assert.AreEqual("value", converted.Metadata["key"]);
        CollectionAssert.AreEqual(new[] { "" }, converted.Opsets.Keys.ToArray());
        model.Graph.Nodes.Add(new Node("Custom", [model.Graph.Inputs[0]], [new Value("c")], null, "mine", "example.test"));
        AssertRefused(model, "example.test");
    }

    [TestMethod]
    public void ShapesThatAreMissingAreAnotherKindOfRefusal()
    {
        Assert.IsTrue(OpsetConverter.LacksShapes(Models.OfNode("RMSNormalization", 23, new AttributeMap(("axis", 1)))));
        Assert.IsFalse(OpsetConverter.LacksShapes(Models.OfNode("DFT", 23)));
        Assert.IsFalse(OpsetConverter.LacksShapes(Models.OfNode("Relu", 23)));
    }

    [TestMethod]
    public void CastLosesWhatOnlyConcernsEightBitFloats()
    {
        var cast = Only(Models.OfNode("Cast", 24, new AttributeMap(("to", 10), ("saturate", 1), ("round_mode", "up"))));
        CollectionAssert.AreEqual(new[] { "to" }, cast.Attributes.Select(static a => a.Key).ToArray());
        AssertRefused(Models.OfNode("Cast", 24, new AttributeMap(("to", 17))), "17");
    }

    [TestMethod]
    [DataRow("RoiAlign", 10, "coordinate_transformation_mode", "output_half_pixel")]
    [DataRow("GridSample", 20, "mode", "bilinear")]
    public void RenamedSettingsKeepTheirMeaning(string opType, int opset, string attribute, string expected) =>
        Assert.AreEqual(expected, Only(Models.OfNode(opType, opset)).Attributes.Text(attribute, ""));

    [TestMethod]
    public void NodesInsideBranchesAreConverted()
    {
        var branch = new OnnxGraph { Name = "branch" };
        var result = new Value("result");
        branch.Outputs.Add(result);
        branch.Nodes.Add(new Node("Unsqueeze", [new Value("x")], [result], new AttributeMap(("axes", new long[] { 0 }))));
        var converted = OpsetConverter.Convert(Models.OfNode("If", 11, new AttributeMap(("then_branch", branch))));
        var inner = (OnnxGraph)converted.Graph.Nodes.Single().Attributes.Single().Value;
        CollectionAssert.AreEqual(new long[] { 0 }, inner.Nodes.Single().Input(1).Constant?.ToLongs());
        Assert.IsEmpty(GraphChecker.Findings(converted));
    }

    [TestMethod]
    public void NewNamesDoNotCollide()
    {
        var model = Models.OfNode("Squeeze", 11, new AttributeMap(("axes", new long[] { 0 })));
        model.Graph.Inputs.Add(new Value("node/axes", ElementType.Float32));
        Assert.IsEmpty(GraphChecker.Findings(OpsetConverter.Convert(model)));
    }

    [TestMethod]
    public void LoweredNodesTellTheirShapes()
    {
        var scale = Models.Initializer("scale", TensorData.Of(new float[4], 4));
        var bias = Models.Initializer("bias", TensorData.Of(new float[4], 4));
        foreach (var model in new[]
        {
            Models.OfNode("Gelu", 20, inputShape: Shape.Of(Dim.Named("N"), 4)),
            Models.OfNode("Softmax", 11, new AttributeMap(("axis", 1)), inputShape: Shape.Of(2, 3, 4)),
            Models.OfNode("Swish", 24, new AttributeMap(("alpha", 2f)), inputShape: Shape.Of(2, 3)),
            Models.OfNode("AffineGrid", 20, inputShape: Shape.Of(2, 2, 3), constants: [Models.Initializer("size", TensorData.Of([2L, 1, 3, 4], 4))]),
            Models.OfNode("Pad", 19, new AttributeMap(("mode", "wrap")), inputShape: Shape.Of(2, 3), constants: [Models.Initializer("pads", TensorData.Of([1L, 1, 0, 4], 4))]),
            Models.OfNode("RMSNormalization", 23, inputShape: Shape.Of(Dim.Named("N"), 4), constants: [scale]),
            Models.OfNode("GroupNormalization", 21, new AttributeMap(("num_groups", 2)), inputShape: Shape.Of(Dim.Named("N"), 4, 5, 5), constants: [scale, bias]),
        })
        {
            var emitted = OpsetConverter.Convert(model).Graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>().Where(static v => v.Name != "y0").ToList();
            Assert.IsNotEmpty(emitted);
            Assert.IsTrue(emitted.All(static v => v.KnownShape is not null && v.Type != ElementType.Undefined), model.Graph.Nodes[0].OpType);
        }
    }

    [TestMethod]
    [DataRow("AffineGrid", 20, "size")]
    [DataRow("BatchNormalization", 7, "spatial")]
    [DataRow("DFT", 20, "axis")]
    [DataRow("QuantizeLinear", 21, "quantised")]
    [DataRow("Scan", 8, "opset 9")]
    [DataRow("Upsample", 9, "scales")]
    [DataRow("GroupNormalization", 21, "num_groups")]
    public void RefusalsSayWhy(string opType, int opset, string said)
    {
        var constant = Models.Initializer("c", TensorData.Of([1f], 1));
        var constants = opType == "GroupNormalization" ? new[] { constant, Models.Initializer("d", TensorData.Of([1f], 1)) } : [];
        AssertRefused(Models.OfNode(opType, opset, new AttributeMap(("spatial", 0)), constants: constants), said);
    }

    [TestMethod]
    [DataRow("AveragePool", 19, "kernel_shape")]
    [DataRow("Resize", 19, "half_pixel_symmetric")]
    [DataRow("Resize", 11, "tf_half_pixel_for_nn")]
    [DataRow("Gelu", 20, "'other'")]
    public void SettingsThatOpset18LacksAreRefused(string opType, int opset, string said) => AssertRefused(Models.OfNode(opType, opset, new AttributeMap(
        ("dilations", new long[] { 2, 2 }), ("approximate", "other"), ("coordinate_transformation_mode", said))), said);

    [TestMethod]
    [DataRow("BatchNormalization", "training")]
    [DataRow("Dropout", "mask")]
    public void FurtherOutputsOfOldFormsAreDroppedOrRefusedWhenUsed(string opType, string said)
    {
        var model = Models.OfNode(opType, 9, outputs: 2);
        Assert.HasCount(1, Only(Models.OfNode(opType, 9, outputs: 2)).Outputs);
        model.Graph.Outputs.Add(model.Graph.Nodes[0].Outputs[1] ?? throw new InvalidOperationException());
        AssertRefused(model, said);
    }

    [TestMethod]
    public void OldNearestResizeIsConvertedWhenItsRoundingIsKnown()
    {
        AssertRefused(OfScales(2, 0.5f), "grows some axes");
        Assert.AreEqual("ceil", Only(OfScales(1, 0.5f)).Attributes.Text("nearest_mode", ""));
        Assert.AreEqual("floor", Only(OfScales(1, 2)).Attributes.Text("nearest_mode", ""));
        var unknown = OfScales(1, 2);
        unknown.Graph.Initializers[0].Constant = null;
        AssertRefused(unknown, "not constant");

        static OnnxModel OfScales(params float[] scales) => Models.OfNode("Resize", 10, constants: [Models.Initializer("scales", TensorData.Of(scales, 2))]);
    }

    [TestMethod]
    [DataRow("Softmax", 11, "axis", "no number", "axis")]
    [DataRow("RMSNormalization", 23, "axis", -1L, "input 1")]
    [DataRow("RMSNormalization", 23, "axis", -7L, "outside")]
    [DataRow("TopK", 9, "k", "text", "'k'")]
    public void MalformedNodesAreRefusedByName(string opType, int opset, string attribute, object value, string said) =>
        AssertRefused(Models.OfNode(opType, opset, new AttributeMap((attribute, value)), inputShape: Shape.Of(2, 3)), said);

    private static Node Only(OnnxModel model) => OpsetConverter.Convert(model).Graph.Nodes.Single();

    private static void AssertRefused(OnnxModel model, string said) =>
        StringAssert.Contains(Assert.ThrowsExactly<UnsupportedOpException>(() => OpsetConverter.Convert(model)).Message, said);
}
