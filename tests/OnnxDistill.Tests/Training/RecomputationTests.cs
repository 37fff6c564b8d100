using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Recomputation;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

[TestClass]
public sealed class RecomputationTests
{
    [TestMethod]
    public void GradientsAreTheSameBitsWhenTheOperatorsRunAsWritten()
    {
        using var files = new TestFiles();
        var graph = Toys.Program(files, "sid", "network.hidden=[16,16,16]").Graphs.Single(g => g.Phase.Name == "student");
        var random = new Random(5);
        var feeds = graph.Model.Graph.Inputs.ToDictionary(i => i.Name, i => Random(i, random));
        var options = new DeviceOptions { Threads = 1, Optimization = GraphOptimization.None };
        using var whole = GraphSession.Create(graph.Model, options);
        var expected = whole.Run(feeds);
        var report = Recompute.Run(graph.Model.Graph, graph.Model.Graph.Output(TrainingGraph.LossOutput), budget: 1);
        Assert.IsGreaterThan(10, report.Nodes);
        Assert.IsLessThan(report.FullBytes, report.Bytes);
        using var repeated = GraphSession.Create(graph.Model, options);
        foreach (var (name, found) in repeated.Run(feeds))
            CollectionAssert.AreEqual(expected[name].As<float>().ToArray(), found.As<float>().ToArray(), name);
    }

    [TestMethod]
    public void TrainingWithABudgetGivesTheSameLossesToRounding()
    {
        using var files = new TestFiles();
        var (free, limited) = (Losses(files), Losses(files, "training.activationBudgetMb=0.0001"));
        for (var i = 0; i < free.Count; i++)
            Assert.AreEqual(free[i], limited[i], 1e-5 * Math.Max(1, Math.Abs(free[i])), $"loss {i}"); // ONNX Runtime may fuse the two runs differently
    }

    /// <summary>ONNX Runtime runs the nodes in the graph's order when asked to, and does not merge what is there twice.</summary>
    [TestMethod]
    public void TheListDecidesTheOrder()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid", "network.hidden=[16,16]", "training.activationBudgetMb=0.0001");
        var graph = program.Graphs.Single(g => g.Phase.Name == "student").Model;
        var ordered = OrderedModel.Optimize(graph, TrainingEngine.DeviceOf(program.Recipe.Recipe.Training), "test").Graph.Nodes;
        Assert.IsTrue(ordered.Exists(n => n.Outputs[0]!.Name.StartsWith("again/", StringComparison.Ordinal)), "merged");
        var place = graph.Graph.Nodes.Index().SelectMany(n => n.Item.Outputs.OfType<Value>().Select(o => (o.Name, n.Index))).ToDictionary(p => p.Name, p => p.Index);
        var places = ordered.Select(n => place.GetValueOrDefault(n.Outputs[0]!.Name, -1)).Where(p => p >= 0).ToList();
        CollectionAssert.AreEqual(places.OrderDescending().ToList(), places);
    }

    private static List<double> Losses(TestFiles files, params string[] settings)
    {
        using var engine = new TrainingEngine(Toys.Program(files, "sid", [.. settings, "network.hidden=[16,16,16]"]));
        return [.. Enumerable.Range(0, 4).SelectMany(_ => engine.Step().Losses.Values)];
    }

    private static TensorData Random(Value input, Random random) =>
        TensorData.Of([.. Enumerable.Range(0, (int)input.Shape.ElementCount).Select(_ => random.NextSingle())], input.Shape.Sizes());
}
