using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Tests.Runtime.Sessions;

[TestClass]
public sealed class DeviceTests
{
    [TestMethod]
    [DataRow("cpu", DeviceKind.Cpu, 0, "cpu")]
    [DataRow("CUDA", DeviceKind.Cuda, 0, "cuda:0")]
    [DataRow("cuda:3", DeviceKind.Cuda, 3, "cuda:3")]
    public void NamesAreRead(string text, DeviceKind kind, int index, string written)
    {
        var device = Device.Parse(text);
        Assert.AreEqual(new Device(kind, index), device);
        Assert.AreEqual(written, device.ToString());
    }

    [TestMethod]
    [DataRow("gpu")]
    [DataRow("cuda:")]
    [DataRow("cuda:-1")]
    [DataRow("cuda:1:2")]
    [DataRow("cpu:1")]
    [DataRow("")]
    public void OtherNamesAreRefusedWithTheKnownOnes(string text) =>
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Device.Parse(text)).Message, "Devices are cpu, cuda and cuda:<index>");

    [TestMethod]
    public void AMissingProviderIsAnErrorThatNamesTheCure()
    {
        if (OrtRuntime.Providers.Contains("CUDAExecutionProvider"))
            Assert.Inconclusive("This build of ONNX Runtime has CUDA.");
        var message = Assert.ThrowsExactly<RuntimeUnavailableException>(
            () => GraphSession.Create(SmallGraphs.Affine(), new DeviceOptions { Device = "cuda:0" })).Message;
        StringAssert.Contains(message, "'cuda:0' was asked for");
        StringAssert.Contains(message, "CPUExecutionProvider");
        StringAssert.Contains(message, "-p:OnnxRuntimePackage=Microsoft.ML.OnnxRuntime.Gpu");
        StringAssert.Contains(message, OrtRuntime.LibraryVariable);
    }

    [TestMethod]
    [DataRow(ThreadSpinning.Never, 1)]
    [DataRow(ThreadSpinning.DuringRun, 2)]
    [DataRow(ThreadSpinning.Always, 0)]
    public void EveryThreadSettingRuns(ThreadSpinning spinning, int threads)
    {
        var options = new DeviceOptions { Spinning = spinning, Threads = threads, MemoryArena = threads > 0, MemoryPattern = threads > 1 };
        using var session = GraphSession.Create(SmallGraphs.Step(2), options);
        Assert.AreEqual(options, session.Options);
        var sum = session.Run(new Dictionary<string, Graph.Model.TensorData>
        {
            ["state"] = Graph.Model.TensorData.Of([2f, 4], 2),
            ["force"] = Graph.Model.TensorData.Of([1f, 1], 2),
        })["sum"];
        Assert.AreEqual(5f, sum.As<float>()[0]);
    }
}
