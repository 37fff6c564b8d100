using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;

namespace OnnxDistill.Graph.Tests.Passes;

/// <summary>What the passes leave of a graph, and what they must not touch.</summary>
[TestClass]
public sealed class PassPipelineTests
{
    public static IEnumerable<object[]> Names => PassCases.All.Select(static c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ThePassesLeaveTheseNodes(string name)
    {
        var (@case, model) = (PassCases.All.Single(c => c.Name == name), PassCases.All.Single(c => c.Name == name).Model());
        PassPipeline.Differentiable.Run(model.Graph);
        Assert.AreEqual($"{@case.Left} Abs Sqrt".Trim(), string.Join(' ', model.Graph.Nodes.Select(static n => n.OpType)));
        Assert.IsEmpty(GraphChecker.Findings(model));
        Assert.AreEqual("x y m -> out", $"{string.Join(' ', model.Graph.Inputs.Select(static v => v.Name))} -> {model.Graph.Outputs.Single().Name}");
    }

    [TestMethod]
    public void ASecondRunFindsNothing()
    {
        foreach (var @case in PassCases.All)
        {
            var model = @case.Model();
            PassPipeline.Final.Run(model.Graph);
            Assert.IsEmpty(PassPipeline.Final.Run(model.Graph), @case.Name);
        }
    }

    [TestMethod]
    public void RandomNodesAreNeverMerged()
    {
        var b = new GraphBuilder();
        Value Draw() => b.Emit("RandomNormal", [], ElementType.Float32, Shape.Of(3), ("shape", new long[] { 3 }));
        b.Output("out", b.Sub(Draw(), Draw()));
        PassPipeline.Final.Run(b.Graph);
        Assert.HasCount(3, b.Graph.Nodes);
    }

    [TestMethod]
    public void AMarkerIsNotMergedWithItsValueUntilNobodyDifferentiates()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(3));
        b.Output("out", b.Sum(b.Exp(x), b.Exp(b.StopGradient(x)), b.Exp(b.StopGradient(x))));
        PassPipeline.Differentiable.Run(b.Graph);
        Assert.AreEqual("Exp StopGradient Exp Sum", string.Join(' ', b.Graph.Nodes.Select(static n => n.OpType)));
        PassPipeline.Final.Run(b.Graph);
        Assert.AreEqual("Exp Sum", string.Join(' ', b.Graph.Nodes.Select(static n => n.OpType)));
    }

    [TestMethod]
    public void OutputsKeepTheirNamesAndEndInNoChangeOfShape()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(2, 1, 3));
        var root = b.Sqrt(x);
        b.Output("same", b.Neg(b.Neg(root)));
        b.Output("moved", b.Transpose(b.Neg(b.Neg(root)), 1, 0, 2)); // would be a Reshape
        b.Output("input", b.Identity(x));
        b.Output("twin", b.Sqrt(x));
        PassPipeline.Final.Run(b.Graph);
        Assert.AreEqual("same moved input twin", string.Join(' ', b.Graph.Outputs.Select(static v => v.Name)));
        Assert.AreEqual("Sqrt Transpose Identity Sqrt", string.Join(' ', b.Graph.Outputs.Select(static v => v.Producer!.OpType)));
        Assert.IsEmpty(GraphChecker.Findings(new OnnxModel(b.Graph)));
    }

    [TestMethod]
    public void NewNodesTakeNoNameOfANodeWhoseOutputWasRenamed()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(2, 3, 4));
        b.Output("out", b.Transpose(x, 1, 0, 2)); // the node keeps the name Transpose
        b.Output("other", b.Exp(b.Transpose(b.Transpose(x, 2, 0, 1), 2, 0, 1)));
        PassPipeline.Final.Run(b.Graph);
        var names = b.Graph.Nodes.Select(static n => n.Name).ToArray();
        CollectionAssert.AllItemsAreUnique(names, string.Join(' ', names));
    }

    [TestMethod]
    public void EqualSmallConstantsAndSharedWeightsBecomeOne()
    {
        var b = new GraphBuilder();
        var (x, weights) = (b.Input("x", ElementType.Float32, Shape.Of(100)), TensorData.Of(new float[100], 100));
        var copy = TensorData.Of(new float[100], 100);
        b.Output("out", b.Sum(b.Mul(x, b.Initializer("a", weights)), b.Mul(x, b.Initializer("b", weights)), b.Mul(x, b.Initializer("c", copy)),
            b.Mul(x, b.Initializer("two", TensorData.Scalar(2))), b.Mul(x, b.Initializer("zwei", TensorData.Scalar(2)))));
        PassPipeline.Final.Run(b.Graph);
        Assert.AreEqual("a c two", string.Join(' ', b.Graph.Initializers.Select(static v => v.Name)));
        Assert.HasCount(4, b.Graph.Nodes);
    }

    [TestMethod]
    public void GraphsWithControlFlowAreLeftAlone()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(3));
        var body = new OnnxGraph();
        b.Output("out", b.Emit("If", [b.Input("condition", ElementType.Bool, Shape.Scalar)], ElementType.Float32, Shape.Of(3), ("then_branch", body), ("else_branch", body)));
        b.Identity(x);
        Assert.IsEmpty(PassPipeline.Final.Run(b.Graph));
        Assert.HasCount(2, b.Graph.Nodes);
    }

    [TestMethod]
    public void ARewriteSaysWhyANodeStays()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(2, 3));
        b.Output("out", b.Transpose(x, 1, 0));
        var result = new Graph.Passes.Rewrites.TransposePair().Apply(new Graph.Passes.Rewrites.RewriteContext(b.Graph), b.Graph.Nodes[0]);
        Assert.AreEqual((null, "no Transpose before it"), (result.Replacement, result.Reason));
    }

    [TestMethod]
    public void TheListOfRewritesIsSortedByName()
    {
        var names = NodeRewrites.All.Select(static r => r.GetType().Name).ToArray();
        CollectionAssert.AreEqual(names.Order(StringComparer.Ordinal).ToArray(), names);
    }
}
