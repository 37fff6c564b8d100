using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

/// <summary>Gradients of chains in one piece: right by central differences, and really taken.</summary>
[TestClass]
public sealed class FusedGradientTests
{
    // Float32 with differences of float32 values; a lost term is far above it.
    private const double Tolerance = 3e-3;

    private static readonly Shape Image = Shape.Of(2, 6, 4, 3);

    /// <summary>A chain: its output from x, w and b; the passes over the whole of x that its gradient may take, counted as nodes that write so much.</summary>
    private sealed record Chain(string Name, int Passes, Func<GraphBuilder, Value, Value, Value, Value> Build, Shape? X = null, Shape? Channels = null)
    {
        public override string ToString() => Name;
    }

    private static readonly Chain[] Chains =
    [
        new("group norm", 7, static (g, x, w, b) => g.Add(g.Mul(Normalized(g, x, 3), w), b)),
        new("group norm, operands swapped", 7, static (g, x, w, b) => g.Add(b, g.Mul(w, Normalized(g, x, 2)))),
        new("group norm, one group", 7, static (g, x, w, b) => g.Add(g.Mul(Normalized(g, x, 1), w), b)),
        new("group norm, a group a channel", 7, static (g, x, w, b) => g.Add(g.Mul(Normalized(g, x, 6), w), b)),
        new("group norm of a line", 7, static (g, x, w, b) => g.Add(g.Mul(Normalized(g, x, 2), w), b), Shape.Of(3, 4, 5), Shape.Of(4, 1)),
        new("group norm with the batch axis in its weights", 7, static (g, x, w, b) => g.Add(g.Mul(Normalized(g, x, 3), w), b), Channels: Shape.Of(1, 6, 1, 1)),
        // The normalised image is used again: its gradient by that way comes from the rules.
        new("group norm, used inside", 19, static (g, x, w, b) => Normalized(g, x, 3) is var n ? g.Add(g.Add(g.Mul(n, w), b), g.Square(n)) : x),
        new("attention", 4, static (g, x, w, b) => Attention(g, x, false), Shape.Of(2, 3, 8, 6)),
        new("attention, its weights used again", 10, static (g, x, w, b) => Attention(g, x, true), Shape.Of(2, 3, 8, 6)),
        new("SiLU", 4, static (g, x, w, b) => g.Silu(x)),
        new("SiLU, operands swapped", 4, static (g, x, w, b) => g.Mul(g.Sigmoid(x), x)),
        new("SiLU, its sigmoid used again", 9, static (g, x, w, b) => g.Sigmoid(x) is var s ? g.Add(g.Mul(x, s), s) : x),
    ];

    private static IEnumerable<object[]> Names => Chains.Select(static (c, i) => new object[] { i, c.Name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void FirstAndSecondDerivativeEqualDifferences(int index, string name)
    {
        var (graph, x, w, b) = Built(Chains[index]);
        var options = new GradientCheckOptions { Tolerance = Tolerance };
        var feeds = Feeds(graph);
        AssertAgrees(GradientCheck.Run(new CheckedModel(graph, []), feeds, options), name);
        using var program = new GradientProgram(graph, [], options.Device);
        AssertAgrees(GradientCheck.Run(new CheckedModel(program.GradientModel.Graph, []), Feeds(program.GradientModel.Graph), options), $"{name}, second derivative");
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ItTakesFewPasses(int index, string name)
    {
        var (graph, x, w, b) = Built(Chains[index]);
        using var program = new GradientProgram(graph, [], new GradientCheckOptions().Device);
        var size = x.Shape.ElementCount;
        var nodes = program.GradientModel.Graph.Nodes;
        var forward = graph.Nodes.Count(n => Writes(n, size));
        Assert.IsLessThanOrEqualTo(Chains[index].Passes, nodes.Count(n => Writes(n, size)) - forward, $"{name}: {string.Join(' ', nodes.Select(n => n.OpType))}");
    }

    private static Dictionary<string, TensorData> Feeds(OnnxGraph graph) => graph.Inputs.ToDictionary(i => i.Name, i => RandomFeeds.For(i, 1));

    private static bool Writes(Node node, long size) => node.OpType is not ("Reshape" or "Identity") && node.Output.Shape.ElementCount >= size;

    private static (OnnxGraph Graph, Value X, Value W, Value B) Built(Chain chain)
    {
        var g = new GraphBuilder("chain");
        var x = g.Input("x", ElementType.Float32, chain.X ?? Image);
        var channels = chain.Channels ?? Shape.Of(6, 1, 1);
        var (w, b) = (g.Input("w", ElementType.Float32, channels), g.Input("b", ElementType.Float32, channels));
        g.Output("y", g.Identity(chain.Build(g, x, w, b)));
        return (g.Graph, x, w, b);
    }

    private static Value Normalized(GraphBuilder g, Value x, long groups)
    {
        Value Filled(float v) => g.Constant(TensorData.Of([.. Enumerable.Repeat(v, (int)groups)], groups));
        var grouped = g.Reshape(x, Shape.Of(x.Shape[0], groups, x.Shape.ElementCount / (x.Shape[0].Size * groups)));
        return g.Reshape(g.Emit("InstanceNormalization", [grouped, Filled(1), Filled(0)], x.Type, grouped.KnownShape, ("epsilon", 1e-2f)), x.Shape);
    }

    // Queries, keys and values of width 2 from x [N, heads, 8, 6]; the scores [N, heads, 8, 8] are what is large.
    private static Value Attention(GraphBuilder g, Value x, bool again)
    {
        var parts = g.Split(x, 3, 2, 2, 2);
        var weights = g.Softmax(g.MatMul(parts[0], g.TransposeLast(parts[1])));
        var mixed = g.MatMul(weights, parts[2]);
        return again ? g.Concat(3, mixed, weights) : mixed;
    }

    private static void AssertAgrees(GradientCheckReport report, string what)
    {
        var wrong = report.Rows.Where(static r => r.Verdict != GradientVerdict.Agrees).Select(static r => r.ToString());
        Assert.AreEqual("", string.Join("\n", wrong), what);
    }
}
