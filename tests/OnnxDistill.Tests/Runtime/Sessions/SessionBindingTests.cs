using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Tests.Runtime.Sessions;

/// <summary>The invariants of bound runs (design.md decision 3).</summary>
[TestClass]
public sealed class SessionBindingTests
{
    [TestMethod]
    public void ARunReadsAndWritesTheBuffersThemselves()
    {
        using var session = GraphSession.Create(SmallGraphs.Step(3));
        using var state = new TensorBuffer(ElementType.Float32, 3);
        using var force = new TensorBuffer(ElementType.Float32, 3);
        using var next = new TensorBuffer(ElementType.Float32, 3);
        using var sum = new TensorBuffer(ElementType.Float32, 1);
        using var binding = session.Bind([Pair("state", state.View(3)), Pair("force", force.View(3))],
            [Pair("next", next.View(3)), Pair("sum", sum.View())]);
        binding.Run();
        Assert.AreEqual(0f, sum.Span<float>()[0]);
        // Filled after binding: a run sees what the buffers hold at that moment.
        state.CopyFrom<float>([2, 4, 6]);
        force.CopyFrom<float>([1, 1, 1]);
        binding.Run();
        CollectionAssert.AreEqual(new[] { 2f, 3, 4 }, next.Span<float>().ToArray());
        Assert.AreEqual(9f, sum.Span<float>()[0]);
    }

    [TestMethod]
    public void TwoAlternatedBindingsGiveTheSameBitsAsCopies()
    {
        const int count = 50, steps = 101;
        using var session = GraphSession.Create(SmallGraphs.Step(count), new DeviceOptions { Threads = 1 });
        var layout = new FlatLayout([("state", [count]), ("tail", [5])]);
        using var ping = layout.Allocate();
        using var pong = layout.Allocate();
        using var force = new TensorBuffer(ElementType.Float32, count);
        using var sum = new TensorBuffer(ElementType.Float32, 1);
        using var even = Step(ping, pong);
        using var odd = Step(pong, ping);
        var copied = new float[count];
        for (var step = 0; step < steps; step++)
        {
            for (var i = 0; i < count; i++)
                force.Span<float>()[i] = MathF.Sin((step * count) + i);
            (step % 2 == 0 ? even : odd).Run();
            var reference = session.Run(new Dictionary<string, TensorData>
            {
                ["state"] = TensorData.Of(copied, count),
                ["force"] = force.View(count).ToData(),
            });
            copied = reference["next"].As<float>().ToArray();
            Assert.AreEqual(reference["sum"].As<float>()[0], sum.Span<float>()[0]);
        }
        CollectionAssert.AreEqual(copied, layout.View(pong, "state").Span<float>().ToArray());
        foreach (var vector in new[] { ping, pong })
            Assert.IsFalse(vector.Span<float>(count, (int)layout.Length - count).ContainsAnyExcept(0f), "padding and neighbours stay untouched");

        SessionBinding Step(TensorBuffer from, TensorBuffer to) => session.Bind(
            [Pair("state", layout.View(from, "state")), Pair("force", force.View(count))],
            [Pair("next", layout.View(to, "state")), Pair("sum", sum.View())]);
    }

    [TestMethod]
    public void SharedMemoryWithAnOutputIsRefused()
    {
        using var session = GraphSession.Create(SmallGraphs.Step(4));
        using var vector = new TensorBuffer(ElementType.Float32, 32);
        using var sum = new TensorBuffer(ElementType.Float32, 1);
        foreach (var offset in new[] { 0, 1, 3 })
        {
            var message = Assert.ThrowsExactly<ArgumentException>(() => session.Bind(
                [Pair("state", vector.View(0, [4])), Pair("force", vector.View(16, [4]))],
                [Pair("next", vector.View(offset, [4])), Pair("sum", sum.View())])).Message;
            StringAssert.Contains(message, "input 'state'");
            StringAssert.Contains(message, "output 'next'");
            StringAssert.Contains(message, "share memory");
        }
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => session.Bind(
            [Pair("state", vector.View(0, [4])), Pair("force", vector.View(16, [4]))],
            [Pair("next", vector.View(4, [4])), Pair("sum", vector.View(7, []))])).Message, "output 'next' and output 'sum' share memory");
        // Neighbours do not overlap, and two inputs may be one.
        using var fine = session.Bind([Pair("state", vector.View(0, [4])), Pair("force", vector.View(0, [4]))],
            [Pair("next", vector.View(4, [4])), Pair("sum", sum.View())]);
    }

    [TestMethod]
    public void AnOverlapIsFoundBehindALongerInput()
    {
        // The output lies inside the first input, and a second input starts between them.
        var (a, b, c) = (SmallGraphs.Float("a", 8), SmallGraphs.Float("b", 1), SmallGraphs.Float("c", 1));
        var first = new Value("first");
        var start = SmallGraphs.Constant("start", TensorData.Of([0L], 1));
        var end = SmallGraphs.Constant("end", TensorData.Of([1L], 1));
        using var session = GraphSession.Create(SmallGraphs.Model([a, b],
            [new Node("Slice", [a, start, end], [first]), new Node("Add", [first, b], [c])], [c], start, end));
        using var vector = new TensorBuffer(ElementType.Float32, 8);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => session.Bind(
            [Pair("a", vector.View(0, [8])), Pair("b", vector.View(2, [1]))], [Pair("c", vector.View(6, [1]))])).Message,
            "input 'a' and output 'c' share memory");
    }

    [TestMethod]
    public void EveryFaultOfABindingIsReported()
    {
        using var session = GraphSession.Create(SmallGraphs.Step(4));
        using var floats = new TensorBuffer(ElementType.Float32, 64);
        using var longs = new TensorBuffer(ElementType.Int64, 4);
        var message = Assert.ThrowsExactly<ArgumentException>(() => session.Bind(
            [Pair("state", longs.View(4)), Pair("state", floats.View(0, [4]))],
            [Pair("next", floats.View(16, [5])), Pair("nothing", floats.View(32, [1]))])).Message;
        StringAssert.Contains(message, "input 'state' is given twice");
        StringAssert.Contains(message, "input 'state' has elements of Int64, expected Float32");
        StringAssert.Contains(message, "input 'force' is missing");
        StringAssert.Contains(message, "output 'next' has the shape [5], expected [4]");
        StringAssert.Contains(message, "there is no output 'nothing'; there are next, sum");
    }

    [TestMethod]
    public void ABindingOutlivedByNothingItNeedsSaysSo()
    {
        var session = GraphSession.Create(SmallGraphs.Step(4));
        using var vector = new TensorBuffer(ElementType.Float32, 64);
        var next = new TensorBuffer(ElementType.Float32, 4);
        using var binding = session.Bind([Pair("state", vector.View(0, [4])), Pair("force", vector.View(16, [4]))], [Pair("next", next.View(4))]);
        binding.Run();
        next.Dispose();
        StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(binding.Run).Message, "buffer of 4 Float32");
        session.Dispose();
        StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(binding.Run).Message, nameof(GraphSession));
        binding.Dispose();
        StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(binding.Run).Message, nameof(SessionBinding));
    }

    private static KeyValuePair<string, TensorView> Pair(string name, TensorView view) => KeyValuePair.Create(name, view);
}
