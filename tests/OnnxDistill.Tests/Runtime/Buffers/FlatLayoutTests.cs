using CsCheck;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;

namespace OnnxDistill.Tests.Runtime.Buffers;

[TestClass]
public sealed class FlatLayoutTests
{
    [TestMethod]
    public void SlotsAreAlignedDisjointAndOrdered() => Gen.Int[0, 70].Array[0, 40].Sample(counts =>
    {
        var layout = new FlatLayout(counts.Select((c, i) => ($"p{i}", new long[] { c })));
        var end = 0L;
        foreach (var (slot, i) in layout.Slots.Select((s, i) => (s, i)))
        {
            if (slot.Name != $"p{i}" || slot.Count != counts[i] || slot.Offset % FlatLayout.Granularity != 0 || slot.Offset < end)
                return false;
            // The next slot starts at the next boundary: no more than 15 elements are lost.
            if (slot.Offset - end >= FlatLayout.Granularity)
                return false;
            end = slot.Offset + slot.Count;
        }
        return layout.Length % FlatLayout.Granularity == 0 && layout.Length >= end && layout.Length - end < FlatLayout.Granularity;
    }, seed: "0000KOIPe036", iter: 300);

    [TestMethod]
    public void OffsetsPassTwoGigabytes()
    {
        var layout = new FlatLayout([("a", [1 << 16, 1 << 16]), ("b", [3])]);
        Assert.AreEqual(1L << 32, layout["b"].Offset);
        Assert.AreEqual((1L << 32) + 16, layout.Length);
    }

    [TestMethod]
    public void WritingEveryTensorLeavesThePaddingZero()
    {
        var layout = new FlatLayout([("a", [3]), ("scalar", []), ("b", [2, 9]), ("empty", [0])]);
        using var vector = layout.Allocate();
        foreach (var (_, view) in layout.Views(vector))
            view.Span<float>().Fill(1);
        Assert.AreEqual(3 + 1 + 18, vector.Span<float>().ToArray().Count(f => f == 1));
        Assert.AreEqual(layout.Length - 22, vector.Span<float>().ToArray().Count(f => f == 0));
        CollectionAssert.AreEqual(new long[] { 2, 9 }, layout.View(vector, "b").Dims);
    }

    [TestMethod]
    public void WrongNamesAndBuffersAreNamed()
    {
        var layout = new FlatLayout([("a", [3])]);
        using var shortVector = new TensorBuffer(ElementType.Float32, 3);
        StringAssert.Contains(Assert.ThrowsExactly<KeyNotFoundException>(() => layout["z"]).Message, "no tensor 'z'. It has 1: a");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => layout.View(shortVector, "a")).Message, "needs 16");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new FlatLayout([("a", [1]), ("a", [2])])).Message, "'a' comes twice");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new FlatLayout([("a", [-1])])).Message, "known extents");
        Assert.IsFalse(layout.TryGet("z", out _));
    }
}
