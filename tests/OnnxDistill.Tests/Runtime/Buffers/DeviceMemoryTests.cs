using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Runtime.Buffers;

/// <summary>Memory that only ONNX Runtime reaches. There is no GPU here: the CPU's own allocator stands in, over the same path.</summary>
[TestClass]
[DoNotParallelize] // counts the live buffers of the whole process
public sealed class DeviceMemoryTests
{
    [TestMethod]
    public void NumbersGoThereAndComeBackAtAnyOffset()
    {
        var before = (TensorBuffer.LiveCount, GraphSession.LiveCount);
        using (var memory = new DeviceMemory(new DeviceOptions()))
        {
            using var buffer = memory.Allocate(ElementType.Float32, 100);
            Assert.AreEqual(new Device(DeviceKind.Cpu), buffer.Memory!.Device);
            CollectionAssert.AreEqual(new float[100], Read(buffer), "zeroed at birth");
            buffer.CopyFrom<float>([1, 2, 3], 97);
            var end = new float[4];
            buffer.CopyTo<float>(end, 96);
            CollectionAssert.AreEqual(new float[] { 0, 1, 2, 3 }, end);

            using var other = memory.Allocate(ElementType.Float32, 100);
            using var host = new TensorBuffer(ElementType.Float32, 100);
            other.CopyFrom(buffer);
            host.CopyFrom(other);
            CollectionAssert.AreEqual(Read(buffer), host.Span<float>().ToArray(), "device to device, device to host");
            host.Span<float>().Fill(7);
            buffer.CopyFrom(host);
            Assert.AreEqual(7, Read(buffer)[50]);
            buffer.View(2, [2, 2]).CopyFrom(TensorData.Of([9f, 8, 7, 6], 2, 2));
            CollectionAssert.AreEqual(new float[] { 7, 9, 8, 7, 6, 7 }, Read(buffer)[1..7]);
            CollectionAssert.AreEqual(new float[] { 9, 8, 7, 6 }, buffer.View(2, [4]).ToData().As<float>().ToArray());
            buffer.Clear();
            CollectionAssert.AreEqual(new float[100], Read(buffer));
        }
        Assert.AreEqual(before, (TensorBuffer.LiveCount, GraphSession.LiveCount));
    }

    [TestMethod]
    public void TheHostHasNoSpanOverIt()
    {
        using var memory = new DeviceMemory(new DeviceOptions());
        using var buffer = memory.Allocate(ElementType.Int64, 2);
        Expect.Error<InvalidOperationException>(() => buffer.Span<long>(), "lies in the memory of cpu", "CopyTo");
        Expect.Error<InvalidOperationException>(() => buffer.CopyFrom<float>([1]), "Int64", "8 bytes");
        Expect.Error<ArgumentOutOfRangeException>(() => buffer.CopyTo(new long[3].AsSpan()), "outside a buffer of 2");
        Expect.Error<ArgumentOutOfRangeException>(() => memory.Allocate(ElementType.Float16, 2), "float32 or int64");
        Expect.Error<ArgumentOutOfRangeException>(() => memory.Allocate(ElementType.Float32, 1L << 31), "2^31");
    }

    [TestMethod]
    public void SessionsRunOnItWithoutCopies()
    {
        using var memory = new DeviceMemory(new DeviceOptions());
        using var session = GraphSession.Create(SmallGraphs.Step(2));
        using var state = new StagedBuffer(ElementType.Float32, 2, memory);
        using var force = new StagedBuffer(ElementType.Float32, 2, memory);
        var outputs = session.Outputs.Select(o => (o.Name, Buffer: new StagedBuffer(ElementType.Float32, o.Shape.ElementCount, memory), o.Shape)).ToList();
        using (var binding = session.Bind([new("state", state.OnDevice.View(2)), new("force", force.OnDevice.View(2))],
            outputs.Select(o => KeyValuePair.Create(o.Name, o.Buffer.OnDevice.View(0, o.Shape.Sizes())))))
        {
            state.OnHost.CopyFrom<float>([2, 4]);
            force.OnHost.CopyFrom<float>([1, 1]);
            state.Upload();
            force.Upload();
            binding.Run();
            var sum = outputs.Single(o => o.Name == "sum").Buffer;
            Assert.AreEqual(0, sum.OnHost.Span<float>()[0], "the host sees nothing before it asks");
            sum.Download();
            Assert.AreEqual(5, sum.OnHost.Span<float>()[0]);
        }
        outputs.ForEach(o => o.Buffer.Dispose());
    }

    [TestMethod]
    public void WithoutADeviceStagingIsOneBuffer()
    {
        using var staged = new StagedBuffer(ElementType.Float32, 2, memory: null);
        Assert.AreSame(staged.OnHost, staged.OnDevice);
        staged.Upload();
        staged.Download();
    }

    private static float[] Read(TensorBuffer buffer)
    {
        var numbers = new float[buffer.Count];
        buffer.CopyTo<float>(numbers);
        return numbers;
    }
}
