using System.Text.Json.Nodes;
using OnnxDistill.Cli;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Tests.Cli;

/// <summary>Every verb on good input: what it writes, says, and says to machines.</summary>
[TestClass]
public sealed class VerbTests
{
    [TestMethod]
    public void InspectTellsInputsParametersOperatorsGradientsAndTheGuess()
    {
        using var files = new TinyFiles();
        var raw = files.Write("flow.onnx", TinyFiles.Flow());
        var text = CommandLine.Run("inspect", raw).Expect(0).Output;
        foreach (var words in new[] { "opset 18", "input   zt: Float32[N, 2]", "output  v", "Div 1", "every operator has a rule", "sample 'zt', time 't'", "--prediction flow: the output is named 'v'" })
            StringAssert.Contains(text, words);
        var json = CommandLine.Run("inspect", raw, "--json").Expect(0).Json;
        Assert.AreEqual(18, json["opset"]!.GetValue<int>());
        Assert.AreEqual("t", json["guess"]!["time"]!.GetValue<string>());
        Assert.IsEmpty(json["missingGradients"]!.AsArray());
        // A teacher tells its card; nothing is left to guess.
        Assert.IsNull(CommandLine.Run("inspect", files["teacher.onnx"], "--json").Expect(0).Json["guess"]);
    }

    [TestMethod]
    public void ImportWrapsARawNetworkToATeacherThatOtherVerbsTake()
    {
        using var files = new TinyFiles();
        var raw = files.Write("flow.onnx", TinyFiles.Flow());
        var json = CommandLine.Run("import", raw, "-o", files["new/flow-teacher.onnx"], "--prediction", "flow", "--sigma-data", "1", "--licence", "MIT", "--json").Expect(0).Json;
        Assert.AreEqual("flow", json["card"]!["prediction"]!.GetValue<string>());
        var card = TeacherCard.Read(OnnxReader.Read(files["new/flow-teacher.onnx"]))!;
        Assert.AreEqual(("flow", 1.0, "MIT"), (card.Prediction, card.SigmaData, card.Licence));
        var samples = CommandLine.Run("sample", files["new/flow-teacher.onnx"], "-n", "200", "-o", files["s.npy"]).Expect(0);
        StringAssert.Contains(samples.Output, "200 samples [2]");
        // The data are standard normal; 400 numbers have a mean square within four standard errors (sqrt(2/400) = 0.07) of 1.
        var meanSquare = NpyFile.Read(files["s.npy"]).ToDoubles().Average(v => v * v);
        Assert.AreEqual(1, meanSquare, 0.28);
    }

    [TestMethod]
    public void ANetworkWithRandomWeightsIsImportedOnTrustAndItsCardTells()
    {
        using var files = new TinyFiles();
        var raw = files.Write("nonsense.onnx", TinyFiles.Nonsense());
        var result = CommandLine.Run("import", raw, "-o", files["t.onnx"], "--prediction", "flow", "--no-denoise-check").Expect(0);
        StringAssert.Contains(result.Output, "check: left out");
        Assert.IsTrue(TeacherCard.Read(OnnxReader.Read(files["t.onnx"]))!.IsUnchecked);
        CommandLine.Run("import", raw, "-o", files["u.onnx"], "--prediction", "flow").Expect(4);
        Assert.IsFalse(File.Exists(files["u.onnx"]));
    }

    [TestMethod]
    public void ImportMeetsARecordingAndTellsWhatItDecided()
    {
        using var files = new TinyFiles();
        var raw = files.Write("flow.onnx", TinyFiles.Flow());
        // At t = 1 the velocity of standard normal data is the state itself.
        NpzFile.Write(files["f.npz"], [new("zt", TensorData.Of([1f, -2], 1, 2)), new("t", TensorData.Of([1f], 1)), new("v", TensorData.Of([1f, -2], 1, 2))]);
        var text = CommandLine.Run("import", raw, "-o", files["t.onnx"], "--prediction", "flow", "--check", files["f.npz"]).Expect(0).Output;
        foreach (var words in new[] { "recorded 'v': largest difference 0,", "sample 'zt', time 't' told as t, output 'v'", "samples [2]", "sigma from 0.002 to 80", "--sigma-data 1 may suit better" })
            StringAssert.Contains(text, words);
    }

    [TestMethod]
    public void ACardWithItsLevelsIsShownInShort()
    {
        using var files = new TinyFiles();
        var b = new GraphBuilder("steps");
        var x = b.Input("sample", ElementType.Float32, new Shape([Dim.Named("N"), 2]));
        var t = b.Input("timestep", ElementType.Int64, new Shape([Dim.Named("N")]));
        b.Output("noise_pred", b.Mul(x, b.Unsqueeze(b.Gather(b.Initializer("gain", TensorData.Of(StepGains(), 1000)), t, 0), 1)));
        var raw = files.Write("steps.onnx", new OnnxModel(b.Graph));
        StringAssert.Contains(CommandLine.Run("inspect", raw).Expect(0).Output, "--prediction eps --schedule ddpm");
        StringAssert.Contains(CommandLine.Run("import", raw, "-o", files["t.onnx"], "--prediction", "eps", "--schedule", "ddpm", "--sigma-data", "1").Expect(0).Output, "in 1000 levels");
        var text = CommandLine.Run("inspect", files["t.onnx"]).Expect(0).Output;
        foreach (var words in new[] { "onnxdistill.schedule = ddpm", "onnxdistill.time = step", "onnxdistill.levels = 0.01000", "characters)" })
            StringAssert.Contains(text, words);
    }

    // Standard normal data: the noise in x_t is its own scale times x_t.
    private static float[] StepGains()
    {
        var product = 1.0;
        return [.. Enumerable.Range(0, 1000).Select(i => (float)Math.Sqrt(1 - (product *= 1 - (1e-4 + ((0.02 - 1e-4) * i / 999)))))];
    }

    [TestMethod]
    [DataRow("ring8", 8)]
    [DataRow("forty", 40)]
    public void MixtureWritesATeacherAndItsTable(string name, int modes)
    {
        using var files = new TinyFiles();
        CommandLine.Run("mixture", name, "-o", files["mix"]).Expect(0);
        Assert.HasCount(modes + 1, File.ReadAllLines(files["mix/mixture.csv"]));
        CommandLine.Run("sample", files["mix/teacher.onnx"], "-n", "3", "-o", files["s.csv"]).Expect(0);
    }

    [TestMethod]
    public void EvaluateMeasuresAgainstAMixtureWithRealDataBesideIt()
    {
        using var files = new TinyFiles();
        var text = CommandLine.Run("evaluate", files["teacher.onnx"], "--reference", files["mixture.csv"], "-n", "300").Expect(0).Output;
        StringAssert.Contains(text, "coverage300.covered");
        StringAssert.Contains(text, "real data");
        var metrics = CommandLine.Run("evaluate", files["teacher.onnx"], "--reference", files["mixture.csv"], "--metric", "logp200", "--metric", "coverage300", "--json")
            .Expect(0).Json["metrics"]!.AsObject();
        Assert.AreEqual(2, metrics["coverage300.covered"]!.GetValue<double>(), "the exact teacher finds both modes");
        Assert.IsTrue(metrics.ContainsKey("logp200.mean") && !metrics.ContainsKey("mmd300.mmd"));
    }

    /// <summary>A teacher out of a folder of pictures: classes by folder are told, a damaged file is told and left out, or ends the run.</summary>
    [TestMethod]
    public void TrainLearnsAFolderOfImages()
    {
        using var files = new TinyFiles();
        foreach (var (name, index) in new[] { "cat/a.png", "cat/b.png", "dog/c.png" }.Select(static (n, i) => (n, i)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(files[$"set/{name}"])!);
            files.Write($"set/{name}", Data.Images.TestPictures.GreyPng(6, [.. Enumerable.Range(0, 36).Select(p => (byte)(p * (index + 2)))]));
        }
        files.Write("set/dog/d.png", "no picture");
        files.Write("fit-images.json", """
            { "method": "denoising-score-matching", "data": { "images": "set", "labels": "own", "size": 4 },
              "network": { "kind": "song-unet", "channels": 4, "multipliers": [1], "blocks": 1, "attentionResolutions": [] },
              "training": { "batch": 4, "images": 8, "threads": 1 }, "evaluation": { "samples": 0, "pictureSamples": 2, "samplerSteps": 2 } }
            """);
        var text = CommandLine.Run("train", files["fit-images.json"], "-o", files["run"]).Expect(0).Output;
        StringAssert.Contains(text, "1 of 4 images");
        StringAssert.Contains(text, "dog/d.png (no image that can be decoded)");
        StringAssert.Contains(text, "0 = cat, 1 = dog");
        var strict = CommandLine.Run("train", files["fit-images.json"], "-o", files["strict"], "--set", "data.strict=true").Expect(ExitCodes.BadInput);
        StringAssert.Contains(strict.Error, "dog/d.png");
        Assert.IsFalse(Directory.Exists(files["strict"]));
    }

    /// <summary>A set of images stands in for a model; the reference's statistics are written and give the same number again.</summary>
    [TestMethod]
    public void EvaluateMeasuresImagesAgainstImagesOrTheirStatistics()
    {
        using var files = new TinyFiles();
        files.Write("pixels.onnx", TinyFiles.Pixels());
        NpyFile.Write(files["a.npy"], TensorData.Of([-1f, 1, 0.5f, -0.5f, 0.25f, 0], 3, 1, 1, 2));
        NpyFile.Write(files["b.npy"], TensorData.Of([-1f, -1, 0.5f, 0.5f, 0, 0.25f, 0.75f, 0.25f], 4, 1, 1, 2));
        string[] features = ["--features", $"{files["pixels.onnx"]}:half", "--json"];
        var json = CommandLine.Run(["evaluate", files["a.npy"], "--reference", files["b.npy"], "--metric", "fd", "--write-statistics", files["s.npz"], .. features]).Expect(0).Json;
        Assert.AreEqual(files["s.npz"], json["statistics"]!.GetValue<string>());
        var distance = json["metrics"]!["fd3-pixels.distance"]!.GetValue<double>();
        Assert.IsGreaterThan(0.01, distance);
        var again = CommandLine.Run(["evaluate", files["a.npy"], "--reference", files["s.npz"], "-n", "3", "--feature-name", "half", .. features]).Expect(0).Json;
        Assert.AreEqual(distance, again["metrics"]!["fd3-half.distance"]!.GetValue<double>());
    }

    [TestMethod]
    public void ExportWritesAGeneratorThatWasChecked()
    {
        using var files = new TinyFiles();
        var run = files.Distilled();
        var json = CommandLine.Run("export", run, "-o", files["g.onnx"], "--json").Expect(0).Json;
        Assert.AreEqual("640", json["metadata"]!["onnxdistill.images_seen"]!.GetValue<string>());
        // float32 over a few layers: another order of sums, nothing more.
        Assert.IsLessThan(1e-4, json["check"]!["largestDifference"]!.GetValue<double>());
        var model = OnnxReader.Read(files["g.onnx"]);
        Assert.AreEqual("z: Float32[N, 2]", string.Join(", ", model.Graph.Inputs));
        // A second export replaces the file as a whole.
        CommandLine.Run("export", run, "-o", files["g.onnx"]).Expect(0);
    }

    [TestMethod]
    public void ArtifactsWritesGraphsStateAndManifestOnly()
    {
        using var files = new TinyFiles();
        var json = CommandLine.Run("artifacts", files["tiny.json"], "-o", files["art"], "--set", "training.batch=4", "--json").Expect(0).Json;
        string[] expected = ["fake_score.onnx", "generator.onnx", "initial-fake_score-weights.npy", "initial-student-ema.npy", "initial-student-weights.npy", "manifest.json",
            "optimizer-fake_score.onnx", "optimizer-student.onnx", "student.onnx"];
        Assert.AreEqual(string.Join(", ", expected), string.Join(", ", json["files"]!.AsArray().Select(f => f!.GetValue<string>())));
        Assert.AreEqual(4, JsonNode.Parse(File.ReadAllText(files["art/manifest.json"]))!["batch"]!.GetValue<int>());
    }

    [TestMethod]
    public void GradCheckPassesOnAGoodModelAndTakesFeeds()
    {
        using var files = new TinyFiles();
        var model = files.Write("linear.onnx", TinyFiles.Linear(3));
        var text = CommandLine.Run("gradcheck", model).Expect(0).Output;
        StringAssert.Contains(text, "agrees");
        StringAssert.Contains(text, "tolerance 0.003");
        var json = CommandLine.Run("gradcheck", model, "--json", "--batch", "5", "--seed", "3").Expect(0).Json;
        Assert.IsTrue(json["passed"]!.GetValue<bool>());
        Assert.AreEqual(string.Join(", ", "x", "w"), string.Join(", ", json["rows"]!.AsArray().Select(r => r!["name"]!.GetValue<string>()).Where(n => n[0] != '(')));
    }

    [TestMethod]
    public void GradCheckFailsAtAKinkWithItsNumbersAndItsExitCode()
    {
        using var files = new TinyFiles();
        // At 0 the rule takes the subgradient 0 where central differences find a half.
        var b = new GraphBuilder("kink");
        b.Output("y", b.Relu(b.Input("x", ElementType.Float32, Shape.Of(1, 4))));
        var model = files.Write("kink.onnx", new OnnxModel(b.Graph));
        NpzFile.Write(files["zeros.npz"], new Dictionary<string, TensorData> { ["x"] = TensorData.Of(new float[4], 1, 4) });
        var failed = CommandLine.Run("gradcheck", model, "--feeds", files["zeros.npz"], "--json").Expect(ExitCodes.CheckFailed);
        StringAssert.Contains(failed.Error, "Try other --feeds");
        Assert.IsFalse(failed.Json["passed"]!.GetValue<bool>());
        Assert.IsNotEmpty(failed.Json["rows"]!.AsArray());
    }

    [TestMethod]
    public void DoctorFindsAWorkingRuntime()
    {
        StringAssert.Contains(CommandLine.Run("doctor").Output, "CPUExecutionProvider");
        var json = CommandLine.Run("doctor", "--json").Json["report"]!;
        Assert.AreEqual("off", json["telemetry"]!.GetValue<string>());
        StringAssert.StartsWith(json["onnxRuntime"]!.GetValue<string>(), "1.");
    }

    [TestMethod]
    public void UnderJsonEveryVerbPrintsOneObjectAndNothingElse()
    {
        using var files = new TinyFiles();
        var generator = files.Generator();
        var flow = files.Write("flow.onnx", TinyFiles.Flow());
        NpzFile.Write(files["feeds.npz"], [new("zt", TensorData.Of([0.5f, -1f], 1, 2)), new("t", TensorData.Of([0.5f], 1))]);
        NpzFile.Write(files["cotangents.npz"], [new(TinyFiles.Flow().Graph.Outputs[0].Name, TensorData.Of([1f, 1f], 1, 2))]);
        string[][] lines =
        [
            ["inspect", generator], ["import", flow, "-o", files["i.onnx"], "--prediction", "flow", "--sigma-data", "1"], ["mixture", "ring8", "-o", files["m"]],
            ["train", files["fit.json"], "-o", files["t"]], ["distill", files["tiny.json"], "-o", files["d"]], ["artifacts", files["tiny.json"], "-o", files["a"]],
            ["sample", generator, "-o", files["s.png"]], ["evaluate", generator, "--reference", files["mixture.csv"], "-n", "100"],
            ["export", files["d"], "-o", files["e.onnx"]], ["report", files["d"], "--no-demo"], ["gradcheck", flow], ["vjp", flow, "--feeds", files["feeds.npz"], "--cotangents", files["cotangents.npz"], "-o", files["g.npz"]], ["doctor"],
        ];
        Assert.AreEqual(string.Join(", ", CommandApp.Root().Subcommands.Select(c => c.Name)), string.Join(", ", lines.Select(l => l[0])), "a new verb needs a line here");
        foreach (var line in lines)
        {
            var result = CommandLine.Run([.. line, "--json"]);
            Assert.AreEqual(0, result.Code, $"{line[0]}: {result.Error}");
            Assert.IsGreaterThan(0, result.Json.Count, line[0]);
            Assert.AreEqual("", result.Error, line[0]);
        }
    }
}
