using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Normalization;

namespace OnnxDistill.Tests.Runtime.Normalization;

/// <summary>What normalisation promises, on graphs of a few nodes.</summary>
[TestClass]
public sealed class ModelNormalizerTests
{
    [TestMethod]
    public void ShapeChainsFoldOnceTheBatchIsKnown()
    {
        var normal = ModelNormalizer.Normalize(Flatten(), new NormalizeOptions { Batch = 5 });
        CollectionAssert.AreEqual(new[] { "Reshape" }, Ops(normal));
        Assert.AreEqual("y: Float32[5, 6]", normal.Graph.Outputs[0].ToString());
        Assert.AreEqual("x: Float32[5, 2, 3]", normal.Graph.Inputs[0].ToString());
    }

    [TestMethod]
    public void ASymbolicBatchStaysASymbol()
    {
        var normal = ModelNormalizer.Normalize(Flatten());
        Assert.AreEqual("x: Float32[N, 2, 3]", normal.Graph.Inputs[0].ToString());
        Assert.AreEqual("y: Float32[N, 6]", normal.Graph.Outputs[0].ToString());
    }

    [TestMethod]
    public void TheGivenModelIsNotChanged()
    {
        var model = Flatten();
        var before = Graph.Io.OnnxWriter.ToBytes(model);
        ModelNormalizer.Normalize(model, new NormalizeOptions { Batch = 5 });
        CollectionAssert.AreEqual(before, Graph.Io.OnnxWriter.ToBytes(model));
    }

    /// <summary>Left alone, ONNX Runtime folds the BatchNorm into new convolution weights.</summary>
    [TestMethod]
    public void ConvolutionAndBatchNormKeepTheirWeights()
    {
        var x = SmallGraphs.Float("x", 1, 2, 4, 4);
        var weight = SmallGraphs.Constant("conv.weight", TensorData.Of(Enumerable.Range(0, 36).Select(i => i / 36f).ToArray(), 2, 2, 3, 3));
        var norm = new[] { "scale", "bias", "mean", "variance" }.Select((n, i) => SmallGraphs.Constant($"bn.{n}", TensorData.Of([i + 1f, i + 2f], 2))).ToArray();
        var (c, y) = (new Value("c"), new Value("y", ElementType.Float32));
        var model = SmallGraphs.Model([x], [new Node("Conv", [x, weight], [c]), new Node("BatchNormalization", [c, .. norm], [y])], [y], [weight, .. norm]);

        var normal = ModelNormalizer.Normalize(model);
        CollectionAssert.AreEqual(new[] { "Conv", "BatchNormalization" }, Ops(normal));
        CollectionAssert.AreEqual(new[] { "conv.weight", "bn.scale", "bn.bias", "bn.mean", "bn.variance" },
            normal.Graph.Initializers.ConvertAll(v => v.Name));
        CollectionAssert.AreEqual(new[] { "x" }, normal.Graph.Inputs.ConvertAll(v => v.Name));
        foreach (var (before, after) in model.Graph.Initializers.Zip(normal.Graph.Initializers))
            CollectionAssert.AreEqual(before.Constant!.Bytes.ToArray(), after.Constant!.Bytes.ToArray());
    }

    /// <summary>Four floats, but they decide the output's shape; as an input they would leave it unknown.</summary>
    [TestMethod]
    public void FloatsThatDecideAShapeStayConstants()
    {
        var x = SmallGraphs.Float("x", 1, 2, 4, 4);
        var scales = SmallGraphs.Constant("scales", TensorData.Of([1f, 1, 2, 2], 4));
        var y = new Value("y", ElementType.Float32);
        var normal = ModelNormalizer.Normalize(SmallGraphs.Model([x], [new Node("Resize", [x, null, scales], [y])], [y], scales));
        Assert.AreEqual("y: Float32[1, 2, 8, 8]", normal.Graph.Outputs[0].ToString());
    }

    [TestMethod]
    public void LongConstantsOfNodesAreWeightsAndShortOnesFold()
    {
        var x = SmallGraphs.Float("x", 64);
        var length = SmallGraphs.Constant("length", TensorData.Of([64L], 1));
        var (table, filled, two, four, a, b, y) =
            (new Value("table"), new Value("filled"), new Value("two"), new Value("four"), new Value("a"), new Value("b"), new Value("y", ElementType.Float32));
        var model = SmallGraphs.Model([x],
            [
                new Node("Constant", [], [table], new AttributeMap(("value", TensorData.Of(new float[64], 64)))),
                new Node("ConstantOfShape", [length], [filled], new AttributeMap(("value", TensorData.Of([0.5f], 1)))),
                new Node("Constant", [], [two], new AttributeMap(("value", TensorData.Of([2f], 1)))),
                new Node("Mul", [two, two], [four]),
                new Node("Mul", [x, four], [a]),
                new Node("Mul", [a, filled], [b]),
                new Node("Add", [b, table], [y]),
            ], [y], length);
        var normal = ModelNormalizer.Normalize(model);
        CollectionAssert.AreEqual(new[] { "Mul", "Mul", "Add" }, Ops(normal));
        CollectionAssert.IsSubsetOf(new[] { "table", "filled", "four" }, normal.Graph.Initializers.ConvertAll(v => v.Name));
        Assert.IsFalse(normal.Graph.Initializers.Find(v => v.Name == "filled")!.Constant!.As<float>().ContainsAnyExcept(0.5f));
    }

    [TestMethod]
    public void FunctionsAreInlinedAndConstantBranchesChosen()
    {
        var (fx, fy) = (new Value("fx"), new Value("fy"));
        var body = new OnnxGraph { Name = "Twice" };
        body.Inputs.Add(fx);
        body.Outputs.Add(fy);
        body.Nodes.Add(new Node("Add", [fx, fx], [fy]));
        var x = SmallGraphs.Float("x", 2);
        var yes = SmallGraphs.Constant("yes", TensorData.Of([true], []));
        var (h, y) = (new Value("h"), new Value("y", ElementType.Float32));
        var model = SmallGraphs.Model([x],
            [new Node("Twice", [x], [h], domain: "test"), new Node("If", [yes], [y], new AttributeMap(("then_branch", Branch("Neg")), ("else_branch", Branch("Abs"))))],
            [y], yes);
        model.Opsets["test"] = 1;
        model.Functions.Add(new OnnxFunction("test", "Twice", body, [], AttributeMap.Empty, new Dictionary<string, long> { [""] = 18 }));

        var normal = ModelNormalizer.Normalize(model);
        CollectionAssert.AreEqual(new[] { "Add", "Neg" }, Ops(normal));
        Assert.IsEmpty(normal.Functions);
        CollectionAssert.AreEqual(new[] { "" }, normal.Opsets.Keys.ToArray());

        static OnnxGraph Branch(string op)
        {
            var branch = new OnnxGraph { Name = op };
            var result = new Value($"{op}.result", ElementType.Float32);
            branch.Outputs.Add(result);
            branch.Nodes.Add(new Node(op, [new Value("h")], [result]));
            return branch;
        }
    }

    [TestMethod]
    public void ScalarsAreKnownAndUnknownRanksRefused()
    {
        var (x, shape) = (SmallGraphs.Float("x", 6), new Value("shape", ElementType.Int64, Shape.Of(Dim.Named("rank"))));
        var (sum, y) = (new Value("sum", ElementType.Float32), new Value("y", ElementType.Float32));
        var noKeep = new AttributeMap(("keepdims", 0));
        var scalar = ModelNormalizer.Normalize(SmallGraphs.Model([x], [new Node("ReduceSum", [x], [sum], noKeep)], [sum]));
        Assert.AreEqual(Shape.Scalar, scalar.Graph.Outputs[0].KnownShape);

        var message = Assert.ThrowsExactly<UnsupportedOpException>(() => ModelNormalizer.Normalize(SmallGraphs.Model([x, shape],
            [new Node("ReduceSum", [x], [sum], noKeep), new Node("Reshape", [x, shape], [y], name: "shaped")], [sum, y]))).Message;
        StringAssert.Contains(message, "The shapes of 1 values");
        StringAssert.Contains(message, "'y' made by Reshape 'shaped'");
    }

    [TestMethod]
    public void MetadataSurvives()
    {
        var model = Flatten();
        model.Metadata["author"] = "somebody";
        (model.Producer, model.Description) = ("exporter", "words");
        var normal = ModelNormalizer.Normalize(model);
        Assert.AreEqual("somebody", normal.Metadata["author"]);
        Assert.AreEqual(("exporter", "words"), (normal.Producer, normal.Description));
    }

    [TestMethod]
    public void WrongShapesAreReportedAtOnce()
    {
        var message = Assert.ThrowsExactly<ArgumentException>(() => ModelNormalizer.Normalize(Flatten(), new NormalizeOptions
        {
            Batch = 0,
            Shapes = new Dictionary<string, long[]> { ["z"] = [1] },
            Symbols = new Dictionary<string, long> { ["height"] = 32 },
        })).Message;
        StringAssert.Contains(message, "no input 'z'; there are x");
        StringAssert.Contains(message, "no input has an extent named 'height'");
        StringAssert.Contains(message, "the batch has to be at least 1, found 0");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => ModelNormalizer.Normalize(SmallGraphs.Step(4), new NormalizeOptions { Batch = 8 })).Message,
            "the file fixes the first extent of every input");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(
            () => ModelNormalizer.Normalize(Flatten(), new NormalizeOptions { Shapes = new Dictionary<string, long[]> { ["x"] = [2, 6] } })).Message,
            "of rank 3, asked for [2, 6]");
    }

    [TestMethod]
    public void AnOperatorUnknownToOnnxRuntimeIsNamed()
    {
        var (x, y) = (SmallGraphs.Float("x", 3), SmallGraphs.Float("y", 3));
        StringAssert.Contains(Assert.ThrowsExactly<UnsupportedOpException>(
            () => ModelNormalizer.Normalize(SmallGraphs.Model([x], [new Node("NoSuchOp", [x], [y])], [y]))).Message, "NoSuchOp");
    }

    /// <summary>x of [N, 2, 3] to [N, 6], the way that exporters write it.</summary>
    private static OnnxModel Flatten()
    {
        var (x, y) = (SmallGraphs.Float("x", Dim.Named("N"), 2, 3), SmallGraphs.Float("y", Dim.Named("N"), 6));
        var zero = SmallGraphs.Constant("zero", TensorData.Of([0L], 1));
        var six = SmallGraphs.Constant("six", TensorData.Of([6L], 1));
        var (extents, batch, target) = (new Value("extents"), new Value("batch"), new Value("target"));
        return SmallGraphs.Model([x],
            [
                new Node("Shape", [x], [extents]),
                new Node("Gather", [extents, zero], [batch]),
                new Node("Concat", [batch, six], [target], new AttributeMap(("axis", 0))),
                new Node("Reshape", [x, target], [y]),
            ], [y], zero, six);
    }

    private static string[] Ops(OnnxModel model) => [.. model.Graph.Nodes.Select(n => n.OpType)];
}
