using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

/// <summary>What differences cannot tell: which slope is taken at kinks and ties, and gradients of what is random.</summary>
[TestClass]
public sealed class KinkTests
{
    /// <summary>Operator, attribute, inputs of one element a column, and the expected gradient of each input for a cotangent of ones.</summary>
    public static IEnumerable<object[]> Pointwise =>
    [
        ["Relu", new double[][] { [-1, 0, 1] }, new double[][] { [0, 0, 1] }],
        ["Abs", new double[][] { [-1, 0, 1] }, new double[][] { [-1, 0, 1] }],
        ["PRelu", new double[][] { [-2, 0, 1], [3, 4, 5] }, new double[][] { [3, 4, 1], [-2, 0, 0] }],
        ["HardSwish", new double[][] { [-3, 0, 3] }, new double[][] { [0, 0.5, 1] }],
        ["Max", new double[][] { [1, 2, 3], [1, 1, 4] }, new double[][] { [0.5, 1, 0], [0.5, 0, 1] }],
        ["Pow", new double[][] { [0, 0, 0], [0, 1, 2] }, new double[][] { [0, 1, 0], [0, 0, 0] }],
        ["Sqrt", new double[][] { [1, 4] }, new double[][] { [0.5, 0.25] }],
    ];

    [TestMethod]
    [DynamicData(nameof(Pointwise))]
    public void AtKinksTheSlopesAreThoseOfPyTorch(string op, double[][] inputs, double[][] expected)
    {
        var gradients = Gradients(inputs.Length, i => Shape.Of(inputs[i].LongLength), (g, x) => [g.Emit(op, x, x[0].Type, x[0].Shape)], inputs);
        for (var i = 0; i < expected.Length; i++)
            CollectionAssert.AreEqual(expected[i], gradients[i], $"input {i}: {string.Join(", ", gradients[i])}");
    }

    [TestMethod]
    public void ClipAtItsBoundsLetsTheGradientThroughToX()
    {
        var gradients = Clip([-1, 0, 1], -1, 1);
        CollectionAssert.AreEqual(new double[] { 1, 1, 1 }, gradients[0]);
        CollectionAssert.AreEqual(new double[] { 0 }, gradients[1]);
        CollectionAssert.AreEqual(new double[] { 0 }, gradients[2]);
    }

    [TestMethod]
    public void ClipWithBoundsTheWrongWayRoundIsItsUpperBound()
    {
        var gradients = Clip([-3, 0, 3], 1, -1);
        CollectionAssert.AreEqual(new double[] { 0, 0, 0 }, gradients[0]);
        CollectionAssert.AreEqual(new double[] { 0 }, gradients[1]);
        CollectionAssert.AreEqual(new double[] { 3 }, gradients[2]);
    }

    [TestMethod]
    [DataRow("ReduceMax", new[] { 0, 0.5, 0.5, 0 })]
    [DataRow("ReduceMin", new[] { 1.0, 0, 0, 0 })]
    public void TiedExtremesShareTheGradient(string op, double[] expected) => CollectionAssert.AreEqual(expected,
        Gradients(1, _ => Shape.Of(4), (g, x) => [g.Emit(op, x, x[0].Type, Shape.Of(1))], [-1, 2, 2, 0])[0]);

    [TestMethod]
    [DataRow("ReduceL1")]
    [DataRow("ReduceL2")]
    public void NormsHaveNoSlopeAtTheOrigin(string op) => CollectionAssert.AreEqual(new double[] { 0, 0 },
        Gradients(1, _ => Shape.Of(2), (g, x) => [g.Emit(op, x, x[0].Type, Shape.Of(1))], [0, 0])[0]);

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    public void NormalisingZerosGivesNoSlope(int p) => CollectionAssert.AreEqual(new double[] { 0, 0 },
        Gradients(1, _ => Shape.Of(2), (g, x) => [g.Emit("LpNormalization", x, x[0].Type, x[0].Shape, ("p", p))], [0, 0])[0]);

    [TestMethod]
    public void TheFirstOfEqualPlacesIsTheMaximumOfAWindow()
    {
        var pooled = Gradients(1, _ => Shape.Of(1, 1, 5), (g, x) => [g.Emit("MaxPool", x, x[0].Type, Shape.Of(1, 1, 2), ("kernel_shape", new long[] { 3 }),
            ("strides", new long[] { 2 }))], [7, 7, 1, 4, 4])[0];
        CollectionAssert.AreEqual(new double[] { 1, 0, 0, 1, 0 }, pooled);
        var globally = Gradients(1, _ => Shape.Of(1, 1, 5), (g, x) => [g.Emit("GlobalMaxPool", x, x[0].Type, Shape.Of(1, 1, 1))], [1, 7, 7, 4, 7])[0];
        CollectionAssert.AreEqual(new double[] { 0, 1, 0, 0, 0 }, globally);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void DropoutInTrainingSendsTheGradientWhereTheValuesWent(bool isConstant)
    {
        const int count = 1000;
        var g = new GraphBuilder("dropout");
        var x = g.Input("x", ElementType.Float64, Shape.Of(count));
        var training = isConstant ? g.Constant(TensorData.Of([true])) : g.Input("training", ElementType.Bool, Shape.Scalar);
        var y = g.EmitMany("Dropout", [x, g.Scalar(0.3, ElementType.Float64), training], [(x.Type, x.Shape), (ElementType.Bool, x.Shape)])[0];
        var dx = Differentiator.VectorJacobian(g, [(y, g.Full(y.Shape, 1, y.Type))], [x])[0]!;
        g.Output("y", y);
        g.Output("dx", dx);
        using var session = GraphSession.Create(new OnnxModel(g.Graph));
        var feeds = new Dictionary<string, TensorData> { ["x"] = TensorData.Of([.. Enumerable.Repeat(1.0, count)], count) };
        if (!isConstant)
            feeds["training"] = TensorData.Of([true]);
        var results = session.Run(feeds);
        // x is 1 everywhere, so values and slopes are one: 0 or 1 / 0.7.
        var (values, slopes) = (results["y"].ToDoubles(), results["dx"].ToDoubles());
        for (var i = 0; i < count; i++)
            Assert.AreEqual(values[i], slopes[i], 1e-6, $"element {i}"); // ONNX Runtime scales by a float32 number
        Assert.HasCount(2, slopes.Distinct(), "some were dropped, some kept");
    }

    [TestMethod]
    public void DropoutInTrainingWithoutItsMaskIsRefused()
    {
        var g = new GraphBuilder();
        var x = g.Input("x", ElementType.Float32, Shape.Of(2));
        var y = g.Emit("Dropout", [x, g.Scalar(0.3), g.Constant(TensorData.Of([true]))], x.Type, x.Shape);
        var error = Assert.ThrowsExactly<Graph.UnsupportedOpException>(() => Differentiator.VectorJacobian(g, [(y, x)], [x]));
        Assert.Contains("mask", error.Message);
    }

    [TestMethod]
    public void MeanVarianceNormalizationThatComesFromABuilderHasItsRule()
    {
        var g = new GraphBuilder("mvn");
        var x = g.Input("x", ElementType.Float32, Shape.Of(2, 3, 4));
        g.Output("y", g.Emit("MeanVarianceNormalization", [x], x.Type, x.Shape, ("axes", new long[] { 0, 2 })));
        var report = GradientCheck.Run(new CheckedModel(g.Graph, []), new Dictionary<string, TensorData>(), new GradientCheckOptions());
        Assert.IsTrue(report.Rows.All(static r => r.Verdict == GradientVerdict.Agrees), string.Join("\n", report.Rows));
    }

    /// <summary>PyTorch 1.13's form of a LayerNorm without weights, which ONNX Runtime loads from no file.</summary>
    [TestMethod]
    public void LayerNormalizationWithoutAScaleHasOneOfOnes()
    {
        var graph = new OnnxGraph { Name = "norm" };
        var (x, y) = (new Value("x", ElementType.Float32, Shape.Of(2, 3, 4)), new Value("y", ElementType.Float32));
        graph.Inputs.Add(x);
        graph.Outputs.Add(y);
        graph.Nodes.Add(new Node("LayerNormalization", [x, null, null], [y], new AttributeMap(("axis", -2L))));
        var model = new OnnxModel(graph);
        model.Opsets[""] = 17;
        Assert.IsTrue(GradientCheck.Run(model).Rows.All(static r => r.Verdict == GradientVerdict.Agrees));
    }

    /// <summary>All differences are 0 and so agree with each other; they say nothing of a slope as small.</summary>
    [TestMethod]
    [DataRow(1e-11, GradientVerdict.TooWeakToTell)]
    [DataRow(1e-3, GradientVerdict.Differs)]
    public void SlopesBelowTheRoundingOfTheOutputAreTooWeakToTell(double slope, GradientVerdict expected)
    {
        var moved = new MovedTensor("w", TensorData.Of([1.0], 1), [slope]);
        var found = DirectionalComparison.Of([moved], static _ => 1, CentralDifference.SingleStep, directions: 2, seed: 0, rounding: Math.ScaleB(1, -24));
        Assert.AreEqual(expected, new GradientCheckRow("w", 1, found.Analytic, found.Numeric, found.Error, found.Uncertainty, 3e-3).Verdict);
    }

    [TestMethod]
    public void ALongProductTakesFewNodes()
    {
        var g = new GraphBuilder();
        var x = g.Input("x", ElementType.Float32, Shape.Of(4, 1000));
        var y = g.Emit("ReduceProd", [x, g.Longs(1)], x.Type, Shape.Of(4, 1));
        Differentiator.VectorJacobian(g, [(y, g.Full(y.Shape, 1, y.Type))], [x]);
        Assert.IsLessThan(100, g.Graph.Nodes.Count);
    }

    private static double[][] Clip(double[] x, double low, double high) => Gradients(3, i => i == 0 ? Shape.Of(x.LongLength) : Shape.Scalar,
        (g, v) => [g.Emit("Clip", v, v[0].Type, v[0].Shape)], x, [low], [high]);

    /// <summary>The gradients of the sum of what is built, by input; zeros where there is none.</summary>
    private static double[][] Gradients(int count, Func<int, Shape> shape, Func<GraphBuilder, Value[], Value[]> build, params double[][] at)
    {
        var g = new GraphBuilder("kink");
        // Float32: some of the operators have no other kernels.
        var inputs = Enumerable.Range(0, count).Select(i => g.Input($"x{i}", ElementType.Float32, shape(i))).ToArray();
        var seeds = build(g, inputs).Select(y => (y, g.Full(y.Shape, 1, y.Type))).ToList();
        var gradients = Differentiator.VectorJacobian(g, seeds, inputs);
        for (var i = 0; i < count; i++)
            g.Output($"dx{i}", gradients[i] ?? g.Full(inputs[i].Shape, 0));
        using var session = GraphSession.Create(new OnnxModel(g.Graph));
        var results = session.Run(at.Index().ToDictionary(a => $"x{a.Index}", a => TensorData.Of(Array.ConvertAll(a.Item, static n => (float)n),
            inputs[a.Index].Shape.Sizes())));
        return [.. Enumerable.Range(0, count).Select(i => results[$"dx{i}"].ToDoubles())];
    }
}
