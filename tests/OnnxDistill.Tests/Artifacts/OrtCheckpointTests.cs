using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Artifacts.OrtTraining;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Io;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>Checkpoints of ONNX Runtime's training: its own files are read, and what is written is read back.</summary>
[TestClass]
public sealed class OrtCheckpointTests
{
    private static string Golden => Path.Combine(SharedFiles.Data(), "ort-training-api");

    [TestMethod]
    public void OnnxRuntimesOwnCheckpointGivesTheLossThatItRecorded()
    {
        var checkpoint = OrtCheckpoint.Read(Path.Combine(Golden, "checkpoint.ckpt"));
        Assert.AreEqual("fc1.bias [500], fc1.weight [500, 784], fc2.bias [10], fc2.weight [10, 500]", string.Join(", ", checkpoint.Trainable.Select(p => $"{p.Name} {p.Data!.Shape}")));
        Assert.IsFalse(checkpoint.IsNominal);
        Assert.AreEqual((0, 0, 0), (checkpoint.Frozen.Count, checkpoint.Groups.Count, checkpoint.Properties.Count));
        var feeds = checkpoint.Trainable.ToDictionary(p => p.Name, p => p.Data!);
        // PyTorch's layers start within 1 / sqrt(number of inputs).
        Assert.IsTrue(feeds["fc1.weight"].ToDoubles().All(w => Math.Abs(w) <= 1 / Math.Sqrt(784)) && feeds["fc1.weight"].ToDoubles().Max() > 0.99 / Math.Sqrt(784));

        // The labels are those of ONNX Runtime's own test; no other pair but (1, 1) gives the recorded loss.
        foreach (var (name, data) in Step())
            feeds[name] = data;
        Assert.AreEqual(Recorded("loss_1.out"), OrtRuns.Run(Path.Combine(Golden, "eval_model.onnx"), feeds)[0].As<float>()[0], 1e-6);
        OrtLayout.RequireOrder(OnnxReader.Read(Path.Combine(Golden, "training_model.onnx")), OnnxReader.Read(Path.Combine(Golden, "eval_model.onnx")), checkpoint);
    }

    [TestMethod]
    public void ANominalCheckpointHasNamesAlone()
    {
        using var files = new TestFiles();
        var checkpoint = OrtCheckpoint.Read(Path.Combine(Golden, "nominal_checkpoint"));
        Assert.IsTrue(checkpoint.IsNominal && checkpoint.Trainable.All(p => p.Data is null));
        Assert.AreEqual("fc1.weight, fc1.bias, fc2.weight, fc2.bias", string.Join(", ", checkpoint.Trainable.Select(p => p.Name)));
        checkpoint.Write(files["nominal"]);
        RequireEqual(checkpoint, OrtCheckpoint.Read(files["nominal"]));
    }

    /// <summary>Its own files and ours alike, and two steps that end where ONNX Runtime's test does.</summary>
    [TestMethod]
    public void ACheckpointWrittenHereTrainsInOnnxRuntimesSessionAsItsOwn()
    {
        using var files = new TestFiles();
        foreach (var name in new[] { "training_model.onnx", "eval_model.onnx", "adamw.onnx", "checkpoint.ckpt" })
            File.Copy(Path.Combine(Golden, name), files[name]);
        var checkpoint = OrtCheckpoint.Read(files["checkpoint.ckpt"]);
        checkpoint.Write(files["ours"]);
        RequireEqual(checkpoint, OrtCheckpoint.Read(files["ours"]));
        OrtSession Run(string file) => OrtSession.Run(files, files.Folder, [Step(), Step()], Step(), new JsonObject { ["optimizer"] = "adamw.onnx", ["checkpoint"] = file });
        var (theirs, ours) = (Run("checkpoint.ckpt"), Run("ours"));
        CollectionAssert.AreEqual(theirs.Weights, ours.Weights);
        // A group that says nothing new changes nothing; its rate is not the session's, which is why the optimizer model has to know the recipe's.
        OrtParameter Filled(string name, OrtParameter like, float number) => new(name, TensorData.Of([.. Enumerable.Repeat(number, (int)like.Data!.ElementCount)], like.Data.Dims));
        OrtOptimizerGroup Group(float moment) => new("group0", 0, 0.25f, [.. checkpoint.Trainable.Select(p => new OrtMoments(p.Name, [Filled("momentum0", p, moment), Filled("momentum1", p, moment)]))]);
        var properties = new Dictionary<string, object> { ["epoch"] = 3L, ["best"] = 0.5f, ["name"] = "größer" };
        (checkpoint with { Groups = [Group(0)], Properties = properties }).Write(files["zeros"]);
        CollectionAssert.AreEqual(theirs.Weights, Run("zeros").Weights);
        (checkpoint with { Groups = [Group(1)] }).Write(files["ones"]);
        CollectionAssert.AreNotEqual(theirs.Weights, Run("ones").Weights);
        Assert.AreEqual(Recorded("loss_1.out"), ours.Json["losses"]![0]!.GetValue<double>(), 1e-6);
        // Recorded on another processor; ours are sums of 784 products in another order.
        Assert.AreEqual(Recorded("loss_2.out"), ours.Json["losses"]![1]!.GetValue<double>(), 1e-6);
    }

    [TestMethod]
    public void EverythingThatACheckpointHoldsIsReadBack()
    {
        using var files = new TestFiles();
        OrtParameter Numbers(string name, params long[] dims) => new(name, TensorData.Of(Enumerable.Range(0, (int)dims.Aggregate(1L, (n, d) => n * d)).Select(i => i - 0.5f).ToArray(), dims));
        var checkpoint = new OrtCheckpoint
        {
            Trainable = [Numbers("weight", 2, 3), Numbers("löss/β", 1), Numbers("scalar"), Numbers("empty", 0, 4)],
            Frozen = [new OrtParameter("index", TensorData.Of([long.MinValue, 7], 2)), new OrtParameter("mask", TensorData.Of([true, false, true], 3))],
            Groups = [new OrtOptimizerGroup("group0", 1234567890123, 0.02f, [new OrtMoments("weight", [Numbers("momentum0", 2, 3), Numbers("momentum1", 2, 3)])])],
            Properties = new Dictionary<string, object> { ["epoch"] = 3L, ["best"] = -0.25f, ["name"] = "größer", ["a"] = 0L, ["nothing"] = "" },
        };
        checkpoint.Write(files["checkpoint"]);
        RequireEqual(checkpoint, OrtCheckpoint.Read(files["checkpoint"]));
        Assert.AreEqual("checkpoint", string.Join(", ", Directory.GetFiles(files.Folder).Select(Path.GetFileName)));
    }

    [TestMethod]
    public void DamagedFilesAreRefusedWhereverTheyAreCut()
    {
        using var files = new TestFiles();
        var whole = File.ReadAllBytes(Path.Combine(Golden, "nominal_checkpoint"));
        new OrtCheckpoint { Trainable = [new OrtParameter("w", TensorData.Of([1f, 2], 2))] }.Write(files["small"]);
        foreach (var bytes in new[] { whole, File.ReadAllBytes(files["small"]) })
        {
            for (var length = 0; length < bytes.Length - 4; length++)
            {
                var cut = bytes[..length];
                // The last bytes of a file may be padding, which nobody misses; but nothing else than a clear error or the whole may come of it.
                try
                {
                    Assert.IsNotEmpty(CheckpointReader.Read(cut, "cut").Trainable);
                    Assert.IsGreaterThan(bytes.Length - 16, length);
                }
                catch (ModelFileException error)
                {
                    StringAssert.Contains(error.Message, "'cut'");
                }
            }
            // Any byte of another value: an answer or a clear error, but never a crash.
            for (var at = 0; at < bytes.Length; at++)
            {
                var other = (byte[])bytes.Clone();
                other[at] ^= 0xff;
                try
                {
                    Assert.IsNotNull(CheckpointReader.Read(other, "other"));
                }
                catch (ModelFileException error)
                {
                    StringAssert.Contains(error.Message, "'other'");
                }
            }
        }
    }

    [TestMethod]
    public void OtherFilesAndDoubleNamesAreRefused()
    {
        using var files = new TestFiles();
        Expect.Error<ModelFileException>(() => OrtCheckpoint.Read(files["none"]), "no checkpoint", "none");
        Expect.Error<ModelFileException>(() => OrtCheckpoint.Read(Path.Combine(Golden, "adamw.onnx")), "no checkpoint", "ODTC");
        var weight = new OrtParameter("w", TensorData.Of([1f], 1));
        Expect.Error<ModelFileException>(() => new OrtCheckpoint { Trainable = [weight], Frozen = [weight] }.Write(files["c"]), "'w' 2 times");
        Expect.Error<ModelFileException>(() => new OrtCheckpoint { Trainable = [weight with { Data = null }] }.Write(files["c"]), "'w'", "nominal");
        Assert.IsEmpty(Directory.GetFiles(files.Folder));
    }

    private static List<(string Name, TensorData Data)> Step()
    {
        var numbers = JsonSerializer.Deserialize<float[]>(File.ReadLines(Path.Combine(Golden, "input-0.in")).ElementAt(1))!;
        return [("input-0", TensorData.Of(numbers, 2, 784)), ("labels", new TensorData(ElementType.Int32, [2], new byte[] { 1, 0, 0, 0, 1, 0, 0, 0 }))];
    }

    private static double Recorded(string file) => double.Parse(File.ReadLines(Path.Combine(Golden, file)).ElementAt(1), CultureInfo.InvariantCulture);

    private static void RequireEqual(OrtCheckpoint expected, OrtCheckpoint found)
    {
        Assert.AreEqual(expected.IsNominal, found.IsNominal);
        Require(expected.Trainable, found.Trainable);
        Require(expected.Frozen, found.Frozen);
        CollectionAssert.AreEqual(expected.Properties.OrderBy(p => p.Key, StringComparer.Ordinal).ToArray(), found.Properties.ToArray());
        Assert.AreEqual(expected.Groups.Count, found.Groups.Count);
        foreach (var (before, after) in expected.Groups.Zip(found.Groups))
        {
            Assert.AreEqual((before.Name, before.Step, before.InitialLearningRate), (after.Name, after.Step, after.InitialLearningRate));
            CollectionAssert.AreEqual(before.States.Select(s => s.Parameter).ToArray(), after.States.Select(s => s.Parameter).ToArray());
            foreach (var (moments, read) in before.States.Zip(after.States))
                Require(moments.Moments, read.Moments);
        }

        static void Require(IReadOnlyList<OrtParameter> before, IReadOnlyList<OrtParameter> after)
        {
            CollectionAssert.AreEqual(before.Select(Text).ToArray(), after.Select(Text).ToArray());
            foreach (var (one, other) in before.Zip(after))
                Assert.IsTrue(one.Data is null ? other.Data is null : one.Data.Bytes.SequenceEqual(other.Data!.Bytes), one.Name);
        }

        static string Text(OrtParameter parameter) => $"{parameter.Name} {parameter.Data?.Type} {parameter.Data?.Shape}";
    }
}
