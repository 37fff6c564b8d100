using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Memory;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.Recomputation;

namespace OnnxDistill.Graph.Tests.Passes;

[TestClass]
public sealed class RecomputeTests
{
    [TestMethod]
    public void AChainNeedsLessMemoryWhenPartsOfItRunTwice()
    {
        var model = Chain(layers: 32);
        var (graph, loss) = (model.Graph, model.Graph.Output("loss"));
        var nodes = graph.Nodes.Count;
        var full = ActivationMemory.Peak(graph, keepsOrder: true);
        var report = Recompute.Run(graph, loss, full / 2);
        Assert.AreEqual(nodes + report.Nodes, graph.Nodes.Count);
        Assert.IsLessThanOrEqualTo(full / 2, report.Bytes);
        // What the report says holds for the graph that was made; packing may cost a little.
        Assert.IsLessThan(0.6 * full, ActivationMemory.Peak(graph, keepsOrder: true));
        Assert.IsLessThan(0.5, report.ExtraWork, "less than the whole forward pass again");
        Assert.IsEmpty(GraphChecker.Findings(model));
    }

    [TestMethod]
    public void WithinTheBudgetNothingRunsTwice()
    {
        var model = Chain(layers: 8);
        var before = model.Graph.Nodes.ToList();
        var report = Recompute.Run(model.Graph, model.Graph.Output("loss"), ActivationMemory.Peak(model.Graph, keepsOrder: true));
        Assert.AreEqual(0, report.Nodes);
        Assert.AreEqual(report.FullBytes, report.Bytes);
        CollectionAssert.AreEqual(before, model.Graph.Nodes);
    }

    [TestMethod]
    public void RandomNumbersAreNeverDrawnTwice()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(1000));
        var value = x;
        for (var i = 0; i < 8; i++)
            value = b.Exp(b.Mul(value, b.Emit("RandomNormal", [], ElementType.Float32, x.Shape, ("shape", new long[] { 1000 }))));
        var loss = b.ReduceSum(value, keepDims: false);
        b.Output("gradient", Differentiator.Gradients(b, loss, [x])[0]!); // x is on the path
        b.Output("loss", loss);
        var report = Recompute.Run(b.Graph, loss, budget: 1);
        Assert.IsGreaterThan(0, report.Nodes);
        Assert.AreEqual(8, b.Graph.Nodes.Count(n => n.OpType == "RandomNormal"));
    }

    [TestMethod]
    public void MemoryIsCountedAsThePlannerHandsItOut()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(64));               // 256 bytes each
        var wide = b.Expand(b.Exp(x), Shape.Of(4, 64));                        // 256 and 1024 at once
        var narrow = b.ReduceSum(b.Neg(wide), [0], keepDims: false);           // Neg over wide; 256 in the buffer that Exp left
        b.Output("out", b.Add(narrow, x));
        Assert.AreEqual(256 + 1024, ActivationMemory.Peak(b.Graph));
    }

    private static OnnxModel Chain(int layers)
    {
        var b = new GraphBuilder("chain");
        var x = b.Input("x", ElementType.Float32, Shape.Of(64, 32));
        var weights = Enumerable.Range(0, layers).Select(i => b.Input($"w{i}", ElementType.Float32, Shape.Of(32, 32))).ToList();
        var value = weights.Aggregate(x, (v, w) => b.Add(v, b.Tanh(b.Mul(b.MatMul(v, w), b.Sigmoid(b.MatMul(v, w))))));
        var loss = b.ReduceSum(b.Square(value), keepDims: false);
        var gradients = Differentiator.Gradients(b, loss, weights);
        b.Output("loss", loss);
        foreach (var (i, gradient) in gradients.Index())
            b.Output($"dw{i}", gradient!); // every weight is on the path
        var model = new OnnxModel(b.Graph);
        PassPipeline.Final.Run(model.Graph);
        return model;
    }
}
