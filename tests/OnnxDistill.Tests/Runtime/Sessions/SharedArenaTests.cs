using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Tests.Runtime.Sessions;

/// <summary>Alone, because an arena serves every session that the process creates.</summary>
[TestClass]
[DoNotParallelize]
public sealed class SharedArenaTests
{
    [TestMethod]
    public void SessionsOutliveTheirArenaAndOneThatReplacesIt()
    {
        Assert.IsFalse(SharedArena.IsOpen);
        using var first = SharedArena.Open(1 << 20);
        using var early = GraphSession.Create(Model());
        using var second = SharedArena.Open(1 << 22);
        using var late = GraphSession.Create(Model());
        first!.Dispose(); // nobody else registers allocators here
        Assert.IsTrue(SharedArena.IsOpen, "a closed arena took its successor with it");
        second!.Dispose();
        Assert.IsFalse(SharedArena.IsOpen);
        using var own = GraphSession.Create(Model());
        foreach (var session in new[] { early, late, own })
            Assert.AreEqual(2f, session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Of(new float[1000], 1000) })["y"].As<float>()[999]);
    }

    [TestMethod]
    public void OverlappingRunsInOneArenaDoNotDisturbEachOther()
    {
        using var arena = SharedArena.Open(1 << 20);
        using var one = GraphSession.Create(Model());
        using var two = GraphSession.Create(Model());
        System.Threading.Tasks.Parallel.For(0, 200, i =>
        {
            var y = (i % 2 == 0 ? one : two).Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Of([.. Enumerable.Repeat((float)i / 200, 1000)], 1000) })["y"].As<float>();
            var expected = MathF.Exp((float)i / 200) + MathF.Exp(-(float)i / 200);
            foreach (var value in y)
                Assert.AreEqual(expected, value, 1e-6f * expected); // float32's rounding, and a polynomial's error of the same size
        });
    }

    private static OnnxModel Model()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(1000));
        b.Output("y", b.Add(b.Exp(x), b.Exp(b.Neg(x))));
        return new OnnxModel(b.Graph);
    }
}
