using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;

namespace OnnxDistill.Tests.Runtime.Buffers;

[TestClass]
public sealed class TensorBufferTests
{
    [TestMethod]
    public void MemoryIsZeroAndAligned()
    {
        // Several sizes and repeats, so that memory comes back used from the allocator.
        for (var repeat = 0; repeat < 20; repeat++)
        {
            using var buffer = new TensorBuffer(ElementType.Float32, 1000 + repeat);
            Assert.AreEqual(0, buffer.Address % TensorBuffer.Alignment);
            Assert.IsFalse(buffer.Span<float>().ContainsAnyExcept(0f));
            buffer.Span<float>().Fill(float.NaN);
        }
    }

    [TestMethod]
    public void ViewsAndSpansShareTheMemory()
    {
        using var buffer = new TensorBuffer(ElementType.Int64, 6);
        buffer.CopyFrom<long>([1, 2, 3], offset: 2);
        CollectionAssert.AreEqual(new long[] { 0, 0, 1, 2, 3, 0 }, buffer.Span<long>().ToArray());
        var view = buffer.View(2, [2, 2]);
        CollectionAssert.AreEqual(new long[] { 1, 2, 3, 0 }, view.ToData().As<long>().ToArray());
        view.CopyFrom(TensorData.Of([9L, 8, 7, 6], 2, 2));
        var out3 = new long[3];
        buffer.CopyTo<long>(out3, offset: 3);
        CollectionAssert.AreEqual(new long[] { 8, 7, 6 }, out3);
        buffer.Clear();
        Assert.IsFalse(buffer.Span<long>().ContainsAnyExcept(0L));
    }

    [TestMethod]
    public void BuffersOfOneKindAreCopiedWhole()
    {
        using var a = new TensorBuffer(ElementType.Float32, 5);
        using var b = new TensorBuffer(ElementType.Float32, 5);
        using var other = new TensorBuffer(ElementType.Float32, 6);
        a.Span<float>().Fill(3);
        b.CopyFrom(a);
        CollectionAssert.AreEqual(a.Span<float>().ToArray(), b.Span<float>().ToArray());
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => other.CopyFrom(a)).Message, "5 Float32 cannot be copied into one of 6 Float32");
    }

    [TestMethod]
    public void UseAfterDisposeIsAnErrorThatSaysSo()
    {
        var buffer = new TensorBuffer(ElementType.Float32, 4);
        var view = buffer.View(0, [4]);
        buffer.Dispose();
        buffer.Dispose();
        Assert.IsTrue(buffer.IsDisposed);
        foreach (var use in new Action[] { () => buffer.Span<float>(), buffer.Clear, () => view.ToData(), () => view.Span<float>() })
            StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(use).Message, "4 Float32 elements has been disposed of");
    }

    [TestMethod]
    public void NothingReachesOutside()
    {
        using var buffer = new TensorBuffer(ElementType.Float32, 10);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => buffer.Span<float>(8, 3));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => buffer.Span<float>(-1, 3));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => buffer.Span<float>(long.MaxValue, 3));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => buffer.View(9, [2]));
        Assert.ThrowsExactly<InvalidOperationException>(() => buffer.Span<double>(0, 1));
        Assert.ThrowsExactly<ArgumentException>(() => buffer.View(3));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new TensorBuffer(ElementType.Text, 1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new TensorBuffer(ElementType.Float32, -1));
    }

    [TestMethod]
    public void AnEmptyBufferHasAnAddress()
    {
        using var buffer = new TensorBuffer(ElementType.Float32, 0);
        Assert.AreEqual(0, buffer.View(0, [0, 3]).Span<float>().Length);
        Assert.AreNotEqual(0, buffer.Address);
    }
}
