using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Tests.Runtime.Sessions;

/// <summary>Alone, because the counts are the process's.</summary>
[TestClass]
[DoNotParallelize]
public sealed class LeakTests
{
    [TestMethod]
    public void EverythingThatIsCreatedIsFreed()
    {
        var before = Counts();
        using (var session = GraphSession.Create(SmallGraphs.Step(4)))
        using (var vector = new TensorBuffer(ElementType.Float32, 64))
        using (var binding = session.Bind([Pair("state", vector.View(0, [4])), Pair("force", vector.View(16, [4]))], [Pair("next", vector.View(32, [4]))]))
        {
            binding.Run();
            Assert.AreEqual((before.Buffers + 1, before.Sessions + 1, before.Bindings + 1), Counts());
        }
        Assert.AreEqual(before, Counts());
    }

    [TestMethod]
    public void WhatFailsToBeCreatedIsFreed()
    {
        var before = Counts();
        Assert.Throws<Exception>(() => GraphSession.Create([1, 2, 3]));
        using (var session = GraphSession.Create(SmallGraphs.Step(4)))
            Assert.Throws<Exception>(() => session.Bind([], []));
        Assert.AreEqual(before, Counts());
    }

    private static (long Buffers, long Sessions, long Bindings) Counts() => (TensorBuffer.LiveCount, GraphSession.LiveCount, SessionBinding.LiveCount);

    private static KeyValuePair<string, TensorView> Pair(string name, TensorView view) => KeyValuePair.Create(name, view);
}
