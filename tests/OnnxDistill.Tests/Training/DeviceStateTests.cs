using OnnxDistill.Methods;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Training with its state in a device's memory: the path of CUDA, walked on the CPU with ONNX Runtime's allocator as the device.</summary>
[TestClass]
[DoNotParallelize] // counts the live buffers of the whole process
public sealed class DeviceStateTests
{
    public static IEnumerable<object[]> Methods => DistillationMethods.Names.Select(n => new object[] { n });

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void StateOnADeviceTrainsToTheSameBits(string method)
    {
        string[] settings = ["training.optimizer={\"learningRate\":1e-2,\"beta1\":0.9,\"clipNorm\":1,\"clipValue\":1,\"weightDecay\":0.1}"];
        CollectionAssert.AreEqual(Train(method, settings, onDevice: false), Train(method, settings, onDevice: true));
    }

    [TestMethod]
    public void SoItDoesUnderFp16AndWithLanes()
    {
        string[] settings = ["training.precision=fp16", "training.lanes=2"];
        CollectionAssert.AreEqual(Train("sid", settings, onDevice: false), Train("sid", settings, onDevice: true));
    }

    [TestMethod]
    public void EveryVectorLiesOnTheDeviceAndIsGivenBack()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid");
        var before = (TensorBuffer.LiveCount, GraphSession.LiveCount, SessionBinding.LiveCount);
        using (var engine = new TrainingEngine(program, null, null, onDevice: true))
        {
            engine.Step();
            foreach (var state in engine.States.Values)
                Assert.IsTrue(state.Vectors.SelectMany(v => new[] { state.At(v, 0), state.At(v, 1) }).Concat(state.Gradients).All(b => b.Memory is not null));
        }
        Assert.AreEqual(before, (TensorBuffer.LiveCount, GraphSession.LiveCount, SessionBinding.LiveCount));
    }

    [TestMethod]
    public void AStateOfTheHostGoesOnOnADevice()
    {
        using var files = new TestFiles();
        using var host = new TrainingEngine(Toys.Program(files, "diff-instruct"));
        using var device = new TrainingEngine(Toys.Program(files, "diff-instruct"), null, null, onDevice: true);
        host.Step();
        TrainingState.Read(device, new MemoryStream(State(host)), "the state");
        host.Step();
        device.Step();
        CollectionAssert.AreEqual(State(host), State(device));
    }

    [TestMethod]
    public void ADeviceThatTheBuildLacksIsRefusedBeforeAnythingIsWritten()
    {
        if (OrtRuntime.Providers.Contains("CUDAExecutionProvider"))
            Assert.Inconclusive("This build of ONNX Runtime has CUDA.");
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid", "training.device=cuda:0");
        Expect.Error<RuntimeUnavailableException>(() => Trainer.Run(program, files["run"], false, new SilentObserver(), CancellationToken.None),
            "'cuda:0' was asked for", "-p:OnnxRuntimePackage=Microsoft.ML.OnnxRuntime.Gpu", "--device cpu");
        Assert.IsFalse(Directory.Exists(files["run"]));
    }

    private static byte[] Train(string method, string[] settings, bool onDevice)
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, method, settings), null, null, onDevice);
        for (var i = 0; i < 4; i++)
            Assert.AreEqual(0, engine.Step().Skipped);
        return State(engine);
    }

    private static byte[] State(TrainingEngine engine)
    {
        using var stream = new MemoryStream();
        TrainingState.Write(engine, stream);
        return stream.ToArray();
    }
}
