using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

/// <summary>What the table of cases cannot show: nodes that ONNX Runtime takes apart before a rule sees them, refusals, the form of a gradient.</summary>
[TestClass]
public sealed class RuleTests
{
    [TestMethod]
    [DataRow(5, 4, 2, 7)]
    [DataRow(6, 3, 3, 8)]
    [DataRow(4, 4, 4, 5)]
    public void CenterCropPadIsDifferentiatedAsItStands(int rows, int columns, int newRows, int newColumns)
    {
        var g = new GraphBuilder();
        var x = g.Input("x", ElementType.Float64, Shape.Of(rows, columns));
        g.Output("y", g.Emit("CenterCropPad", [x, g.Longs(newRows, newColumns)], x.Type, Shape.Of(newRows, newColumns)));
        // Float64: differences are good to 1e-9 or so.
        var report = GradientCheck.Run(new CheckedModel(g.Graph, []), new Dictionary<string, TensorData>(), new GradientCheckOptions { Tolerance = 1e-6 });
        Assert.IsTrue(report.Rows.All(static r => r.Verdict == GradientVerdict.Agrees), string.Join("\n", report.Rows));
    }

    [TestMethod]
    public void WholeFactorsOfNearestSumBlocks()
    {
        var gradient = Gradient("nearest", 1, 1, 3, 2);
        CollectionAssert.AreEqual(new[] { "AveragePool", "Mul" }, gradient.Nodes.Where(static n => n.OpType != "Resize").Select(static n => n.OpType).ToArray());
    }

    [TestMethod]
    public void EachResampledAxisIsOneProduct() =>
        Assert.AreEqual(2, Gradient("linear", 1, 1, 2, 2).Nodes.Count(static n => n.OpType == "MatMul"));

    [TestMethod]
    public void AntialiasedResizeIsRefused()
    {
        var x = new Value("x", ElementType.Float32, Shape.Of(4));
        var node = new Node("Resize", [x, null, new Value("scales") { Constant = TensorData.Of([0.5f], 1) }], [new Value("y")], new AttributeMap(("antialias", 1)));
        StringAssert.Contains(GradientRules.Find(node)?.Refuses(node), "antialias");
    }

    [TestMethod]
    public void ScalesOfAFileAreNoWeights()
    {
        var report = GradientCheck.Run(Upsampling());
        Assert.IsTrue(report.Passed, string.Join("\n", report.Rows));
        CollectionAssert.AreEqual(new[] { GradientCheckReport.All, "x", "weight" }, report.Rows.Select(static r => r.Name).ToArray());
        CollectionAssert.AreEqual(new[] { "weight" }, new Network(Upsampling(), "network", Upsampling()).Parameters.Select(static p => p.Name).ToArray());

        static OnnxModel Upsampling()
        {
            var g = new GraphBuilder();
            var x = g.Input("x", ElementType.Float32, Shape.Of(1, 2, 3, 3));
            var weighted = g.Mul(x, g.Initializer("weight", TensorData.Of([0.5f, -1.5f], 2, 1, 1)));
            var scales = g.Initializer("scales", TensorData.Of([1f, 1, 2, 2], 4));
            g.Output("y", g.Emit("Resize", [weighted, null, scales], x.Type, Shape.Of(1, 2, 6, 6), ("mode", "nearest")));
            return new OnnxModel(g.Graph);
        }
    }

    private static OnnxGraph Gradient(string mode, params float[] scales)
    {
        var g = new GraphBuilder();
        var x = g.Input("x", ElementType.Float32, Shape.Of(1, 2, 4, 5));
        var shape = new Shape(x.Shape.Select((d, i) => (Dim)(long)(d.Size * scales[i])));
        var y = g.Emit("Resize", [x, null, g.Constant(TensorData.Of(scales, 4))], x.Type, shape, ("mode", mode));
        Differentiator.VectorJacobian(g, [(y, g.Input("dy", y.Type, shape))], [x]);
        return g.Graph;
    }
}
