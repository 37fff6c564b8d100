using System.Text.Json.Nodes;
using OnnxDistill.Cli;

namespace OnnxDistill.Tests.Cli;

/// <summary>distill and train from recipe to run folder.</summary>
[TestClass]
public sealed class RunTests
{
    [TestMethod]
    public void DistillLeavesAWholeRunFolderAndPlainLinesOfProgress()
    {
        using var files = new TinyFiles();
        var result = CommandLine.Run("distill", files["tiny.json"], "-o", files["run"]).Expect(0);
        string[] expected = ["denoised-000000.000.png", "denoised-000000.640.png", "generator-000000.000.onnx", "generator-000000.640.onnx", "latest", "log.csv", "metrics.csv", "options.json", "run.lock", "samples-000000.000.png", "samples-000000.640.png", "state-000000.000.odc", "state-000000.640.odc"];
        var found = Directory.GetFiles(files["run"]).Select(p => System.IO.Path.GetFileName(p)!).Where(n => !n.StartsWith("events.", StringComparison.Ordinal));
        Assert.AreEqual(string.Join(", ", expected), string.Join(", ", found.Order(StringComparer.Ordinal)));

        Assert.DoesNotContain("\r", result.Output.ReplaceLineEndings("\n"), "redirected output has no line that renews itself");
        Assert.DoesNotContain("\u001b", result.Output);
        Assert.AreEqual(4, result.Output.Split('\n').Count(l => l.Contains("/ 640  loss_fake_score", StringComparison.Ordinal) && l.EndsWith("s left", StringComparison.Ordinal)));
        StringAssert.Contains(result.Output, "diff-instruct (Luo et al. 2023, arXiv 2305.18455), 640 samples in batches of 32");
        StringAssert.Contains(result.Output, "real data");
        StringAssert.Contains(result.Output, $"Done: {files["run"]}");
        Assert.AreEqual("", result.Error);
    }

    [TestMethod]
    public void TrainFitsADenoiserThatSampleTakesAsATeacher()
    {
        using var files = new TinyFiles();
        var result = CommandLine.Run("train", files["fit.json"], "-o", files["fit"], "--json").Expect(0);
        var teacher = result.Json["generator"]!.GetValue<string>();
        CommandLine.Run("sample", teacher, "-n", "4", "--steps", "3", "-o", files["s.csv"]).Expect(0);
        Assert.HasCount(5, File.ReadAllLines(files["s.csv"]));
    }

    [TestMethod]
    public void ADryRunTellsTheResolvedRecipeAndWritesNothing()
    {
        using var files = new TinyFiles();
        var before = files.Listing();
        var text = CommandLine.Run("distill", files["tiny.json"], "-o", files["run"], "--dry-run").Expect(0).Output;
        var json = CommandLine.Run("distill", files["tiny.json"], "-o", files["run"], "--dry-run", "--json").Expect(0).Json;
        Assert.AreEqual(before, files.Listing());
        StringAssert.Contains(text, "network student: ");
        StringAssert.Contains(text, "nothing was written");
        Assert.AreEqual(1.0, json["recipe"]!["training"]!["sigmaInit"]!.GetValue<double>(), "the method's preset lies under the file");
        Assert.AreEqual("diff-instruct", json["recipe"]!["method"]!.GetValue<string>());
        Assert.HasCount(2, json["networks"]!.AsArray());
    }

    [TestMethod]
    [DataRow("training.batch=16", "training.batch", "16")]
    [DataRow("training.optimizer.beta1=0.5", "training.optimizer.beta1", "0.5")]
    [DataRow("network.hidden=[4,5]", "network.hidden", "[4,5]")]
    [DataRow("options.studentNoise.kind=power", "options.studentNoise.kind", "\"power\"")]
    [DataRow("options.fakeScoreUpdates=3", "options.fakeScoreUpdates", "3")]
    [DataRow("training.optimizers.fake_score.learningRate=0.5", "training.optimizers.fake_score.learningRate", "0.5")]
    [DataRow("evaluation.metrics=[\"mmd50\"]", "evaluation.metrics", "[\"mmd50\"]")]
    public void SetReachesEverySetting(string assignment, string path, string expected)
    {
        using var files = new TinyFiles();
        JsonNode node = CommandLine.Run("distill", files["tiny.json"], "--dry-run", "--json", "--set", assignment).Expect(0).Json["recipe"]!;
        foreach (var part in path.Split('.'))
            node = node[part]!;
        Assert.AreEqual(expected, node.ToJsonString());
    }

    [TestMethod]
    public void ARepeatedSetMayReplaceAWholeGroupAndTheLastOneCounts()
    {
        using var files = new TinyFiles();
        var recipe = CommandLine.Run("distill", files["tiny.json"], "--dry-run", "--json", "--set", "training.batch=16", "--set", "training.batch=8",
            "--set", "network={\"kind\":\"mlp\",\"hidden\":[4]}").Expect(0).Json["recipe"]!;
        Assert.AreEqual(8, recipe["training"]!["batch"]!.GetValue<int>());
        Assert.AreEqual("[4]", recipe["network"]!["hidden"]!.ToJsonString());
    }

    [TestMethod]
    public void AResumedRunEndsWithTheBytesOfAnUnbrokenOne()
    {
        using var files = new TinyFiles();
        CommandLine.Run("distill", files["tiny.json"], "-o", files["half"], "--set", "training.images=320").Expect(0);
        var resumed = CommandLine.Run("distill", files["tiny.json"], "--resume", files["half"], "--json").Expect(0).Json;
        var whole = CommandLine.Run("distill", files["tiny.json"], "-o", files["whole"], "--json").Expect(0).Json;
        Assert.AreEqual(640, resumed["imagesSeen"]!.GetValue<long>());
        AssertSameGenerator(whole, resumed);
        // Another seed gives other bytes: the comparison can fail.
        var other = CommandLine.Run("distill", files["tiny.json"], "-o", files["other"], "--json", "--set", "training.seed=1").Expect(0).Json;
        Assert.IsFalse(File.ReadAllBytes(Path(whole)).AsSpan().SequenceEqual(File.ReadAllBytes(Path(other))));
    }

    [TestMethod]
    public void ADivergedRunSaysSoWithItsOwnExitCode()
    {
        using var files = new TinyFiles();
        var result = CommandLine.Run("distill", files["tiny.json"], "-o", files["run"], "--json", "--set", "training.optimizer.learningRate=10",
            "--set", "options.studentNoise.max=1e9", "--set", "options.studentNoise.min=1e8", "--set", "options.studentNoise.kind=power",
            "--set", "options.studentNoise.absolute=true", "--set", "training.maxSkippedSteps=2", "--set", "training.rollbacks=0", "--set", "training.images=64000",
            "--set", "training.sigmaInit=1e6", "--set", "evaluation.samples=0").Expect(ExitCodes.Diverged);
        StringAssert.Contains(result.Error, "Lower the learning rate");
        Assert.AreEqual(ExitCodes.Diverged, result.Json["exitCode"]!.GetValue<int>());
    }

    internal static void AssertSameGenerator(JsonObject expected, JsonObject actual) =>
        Assert.IsTrue(File.ReadAllBytes(Path(expected)).AsSpan().SequenceEqual(File.ReadAllBytes(Path(actual))), $"{Path(expected)} and {Path(actual)} differ");

    private static string Path(JsonObject run) => run["generator"]!.GetValue<string>();
}
