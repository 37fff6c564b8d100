using System.Text.Json.Nodes;
using OnnxDistill.Artifacts;
using OnnxDistill.Data.Images;
using OnnxDistill.Graph.Io;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Javascript;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>The artifacts train in Node.js, on an ONNX Runtime of another version, and give the same losses and the same generator.</summary>
[TestClass]
public sealed class JavaScriptTests
{
    [TestMethod]
    [DataRow(0L, "student/z", 0L, 10)]
    [DataRow(-7L, "fake_score/epsilon", 123_456L, 97)]
    [DataRow((1L << 40) + 5, "a", (1L << 33) + 1, 1000)]
    public void NoiseIsTheSameToTheBit(long seed, string name, long step, int bound)
    {
        const int count = 20_011;
        var found = NodeTool.Json("checks/noise.mjs", new JsonObject { ["seed"] = seed, ["stream"] = name, ["step"] = step, ["count"] = count, ["bound"] = bound }.ToJsonString());
        var stream = new NoiseStream(seed, StreamId.Named(name));
        var (normal, uniform, integers) = (new float[count], new float[count], new long[count]);
        stream.FillNormal(normal, step);
        stream.FillUniform(uniform, step);
        stream.FillIntegers(integers, bound, step);
        CollectionAssert.AreEqual(normal.Select(n => (long)BitConverter.SingleToInt32Bits(n)).ToArray(), Numbers(found["normal"]!));
        CollectionAssert.AreEqual(uniform.Select(n => (long)BitConverter.SingleToInt32Bits(n)).ToArray(), Numbers(found["uniform"]!));
        CollectionAssert.AreEqual(integers, Numbers(found["integers"]!));
        var order = new EpochOrder(seed, StreamId.Named(name), bound);
        CollectionAssert.AreEqual(Enumerable.Range(0, 3 * bound).Select(i => (long)order.At(i)).ToArray(), Numbers(found["order"]!));
    }

    [TestMethod]
    [DataRow("points")]
    [DataRow("images")]
    public void TwentyIterationsInNodeHaveTheLossesOfDotNet(string kind)
    {
        using var files = new TestFiles();
        var program = TrainedRecipes.Program(files, kind);
        ArtifactWriter.Write(program, files["artifacts"]);
        using var engine = new TrainingEngine(program);
        var expected = TrainedRecipes.Losses(engine, 20);
        var found = NodeTool.Json("train.mjs", files["artifacts"], "--steps", "20", "--save", files["node.onnx"], "--json");
        TrainedRecipes.AreEqual(expected, found["steps"]!.AsArray());
        // What was saved is a generator like any other, and draws what .NET's would.
        TrainedRecipes.DrawTheSame(RunExport.Build(engine), OnnxReader.Read(files["node.onnx"]));
    }

    // Chromium brings a Vulkan device that is made of software: slow, but WebGPU's shaders are those that a GPU would run.
    [TestMethod, TestCategory("Slow")]
    public void WebGpuHasTheLossesOfDotNet()
    {
        const string device = "/usr/lib/chromium/vk_swiftshader_icd.json";
        if (!File.Exists(device))
            Assert.Inconclusive($"There is no software device for WebGPU at '{device}'; Debian's package chromium brings it.");
        using var files = new TestFiles();
        var program = TrainedRecipes.Program(files, "points");
        ArtifactWriter.Write(program, files["artifacts"]);
        using var engine = new TrainingEngine(program);
        var expected = TrainedRecipes.Losses(engine, 20);
        var found = NodeTool.Json("train.mjs", new Dictionary<string, string> { ["VK_ICD_FILENAMES"] = device }, files["artifacts"], "--provider", "webgpu", "--steps", "20", "--json");
        TrainedRecipes.AreEqual(expected, found["steps"]!.AsArray());
        Assert.AreEqual("webgpu", found["provider"]!.GetValue<string>());
    }

    [TestMethod]
    public void WithoutADeviceWebGpuIsRefusedWithAReason()
    {
        using var files = new TestFiles();
        ArtifactWriter.Write(Training.Toys.Program(files, "sid"), files["artifacts"]);
        // A list of drivers that is empty.
        NodeTool.Fails(4, ["There is no device for WebGPU", "VK_ICD_FILENAMES", "leave --provider out"], "train.mjs", new Dictionary<string, string> { ["VK_ICD_FILENAMES"] = files["none.json"], ["VK_DRIVER_FILES"] = files["none.json"] },
            files["artifacts"], "--provider", "webgpu");
    }

    // Between them: several updates a step, clipping, decay and warm-up, pairs, carried vectors, phases that begin later, ramps, fp16 with its loss scale, particles.
    [TestMethod]
    [DataRow("diff-instruct", "options.fakeScoreUpdates=2")]
    [DataRow("sid", "training.optimizer={\"learningRate\":0.02,\"beta1\":0.9,\"weightDecay\":0.1,\"clipNorm\":1,\"clipValue\":0.5,\"warmUpImages\":16,\"finalFraction\":0.1}")]
    [DataRow("sim", "training.optimizer.nonFinite=zero")]
    [DataRow("vsd", "training.ema.rampUp=0")]
    [DataRow("sds", "training.seed=9")]
    [DataRow("dmd", "options.pairs.count=20")]
    [DataRow("dmd2", "options.criticUpdates=3")]
    [DataRow("f-distill", "options.binDecay=0.5")]
    [DataRow("sida", "training.batch=4")]
    [DataRow("uni-instruct", "training.batch=4")]
    [DataRow("diff-instruct", "training.precision=fp16")]
    public void EveryKindOfInputIsFedAsDotNetFeedsIt(string method, string setting)
    {
        using var files = new TestFiles();
        var program = Training.Toys.Program(files, method, setting);
        ArtifactWriter.Write(program, files["artifacts"]);
        using var engine = new TrainingEngine(program);
        var expected = TrainedRecipes.Losses(engine, 10);
        var found = NodeTool.Json("train.mjs", files["artifacts"], "--steps", "10", "--save", files["student.npz"], "--json");
        TrainedRecipes.AreEqual(expected, found["steps"]!.AsArray());
        var weights = engine.States[Roles.Student].Description.Layout.Views(engine.States[Roles.Student].Current(OptimizerGraph.Ema)).ToDictionary();
        var arrays = NpzFile.Read(files["student.npz"]);
        CollectionAssert.AreEquivalent(weights.Keys.ToArray(), arrays.Keys.ToArray());
        foreach (var (name, array) in arrays)
        {
            CollectionAssert.AreEqual(weights[name].Dims.ToArray(), array.Dims.ToArray());
            var (mine, other) = (weights[name].ToData().As<float>().ToArray(), array.As<float>().ToArray());
            for (var i = 0; i < mine.Length; i++)
                Assert.AreEqual(mine[i], other[i], 1e-4 * Math.Max(1, Math.Abs(mine[i])), $"{name}[{i}]"); // ten updates of rounding
        }
    }

    [TestMethod]
    public void ImagesAndWrongInputAreRefusedWithAReason()
    {
        using var files = new TestFiles();
        ArtifactWriter.Write(TrainedRecipes.WithImages(files), files["gan"]);
        NodeTool.Fails(3, ["learns from real images", "discriminator"], "train.mjs", files["gan"]);
        NodeTool.Fails(3, ["There is no", "manifest.json", "onnxdistill artifacts"], "train.mjs", files["nowhere"]);
        NodeTool.Fails(2, ["--provider: found 'tpu'"], "train.mjs", files["gan"], "--provider", "tpu");
        NodeTool.Fails(2, ["--steps: found '-3'"], "train.mjs", files["gan"], "--steps=-3");
        NodeTool.Fails(2, ["Unknown option", "--step"], "train.mjs", files["gan"], "--step", "3");
        NodeTool.Fails(2, ["Found 0 folders"], "train.mjs");
        files.Write("kept.npz", "kept");
        NodeTool.Fails(2, ["there is a file", "nothing was overwritten"], "train.mjs", files["gan"], "--save", files["kept.npz"]);
        Assert.AreEqual("kept", File.ReadAllText(files["kept.npz"]));
    }

    [TestMethod]
    public void ADamagedFolderIsRefusedWithTheFilesName()
    {
        using var files = new TestFiles();
        var folder = files["artifacts"];
        ArtifactWriter.Write(Training.Toys.Program(files, "sid"), folder);
        var weights = Path.Combine(folder, "initial-student-weights.npy");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..200]);
        NodeTool.Fails(3, ["initial-student-weights.npy", "cut off"], "train.mjs", folder);
        File.Delete(weights);
        NodeTool.Fails(3, ["initial-student-weights.npy", "cannot be read"], "train.mjs", folder);
        File.WriteAllText(Path.Combine(folder, "manifest.json"), "{ \"format\": 7 }");
        NodeTool.Fails(3, ["format 7", "expected 1"], "train.mjs", folder);
        File.WriteAllText(Path.Combine(folder, "manifest.json"), "{");
        NodeTool.Fails(3, ["no JSON"], "train.mjs", folder);
    }

    private static long[] Numbers(JsonNode array) => [.. array.AsArray().Select(n => n!.GetValue<long>())];
}
