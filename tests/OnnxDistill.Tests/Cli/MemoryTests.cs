using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Cli;

/// <summary>What the dry run expects against what a run takes at its peak, each in a process of its own: within the 20 % that it promises.</summary>
[TestClass]
[DoNotParallelize]
public sealed class MemoryTests
{
    private const double Promised = 0.2;

    [TestMethod]
    public void TheDryRunForetellsASmallRun() => Compare(RepositoryRoot.Of("models", "ring8", "diff-instruct.json"), "training.images=2048");

    [TestMethod]
    [TestCategory("Slow")]
    public void TheDryRunForetellsLanes() => Compare(RepositoryRoot.Of("models", "forty", "diff-instruct.json"), "training.images=20480");

    [TestMethod]
    [TestCategory("Slow")]
    public void TheDryRunForetellsAFitOnImagesAndTheSamplesOfItsTeacher()
    {
        using var files = new TestFiles();
        const int count = 2000, side = 28;
        files.Write("images-idx3-ubyte", [0, 0, 8, 3, 0, 0, count >> 8, count & 255, 0, 0, 0, side, 0, 0, 0, side, .. new byte[count * side * side]]);
        var recipe = files.Write("fit.json", """
            { "method": "denoising-score-matching", "data": { "images": "images-idx3-ubyte" },
              "network": { "kind": "song-unet", "channels": 12, "multipliers": [1, 2, 3], "blocks": 1, "attentionResolutions": [7] },
              "training": { "batch": 128, "threads": 2 }, "evaluation": { "samples": 0, "samplerSteps": 2 } }
            """);
        CompareRun("train", recipe, ["training.images=512"]);
    }

    [TestMethod]
    [TestCategory("Slow")]
    [DataRow(0)]
    [DataRow(500)]
    public void TheDryRunForetellsATransformer(int budget)
    {
        using var files = new TestFiles();
        OnnxWriter.Write(Training.Dit.Import().Model, files["teacher.onnx"]);
        Compare(Recipe(files, batch: 64), "training.images=128", $"training.activationBudgetMb={budget}");
    }

    [TestMethod]
    [TestCategory("Slow")]
    public void TheDryRunForetellsAUNetAndABudgetLowersItsPeak()
    {
        using var files = new TestFiles();
        var network = new JsonObject { ["kind"] = "song-unet", ["channels"] = 32, ["multipliers"] = new JsonArray(1, 2, 2), ["blocks"] = 1 };
        OnnxWriter.Write(NetworkCatalog.Build(network, new TeacherCard { Data = "image" }, 3, 32, 32).Model, files["teacher.onnx"]);
        var recipe = Recipe(files, batch: 32);
        var full = Compare(recipe, "training.images=64");
        var limited = Compare(recipe, "training.images=64", "training.activationBudgetMb=1");
        // Weights, sessions and .NET stay what they are; of the rest at least a third went.
        Assert.IsLessThan(0.8 * full, limited);
    }

    private static double Compare(string recipe, params string[] settings) => CompareRun("distill", recipe, settings);

    private static double CompareRun(string verb, string recipe, string[] settings)
    {
        using var files = new TestFiles();
        string[] arguments = [verb, recipe, "-o", files["run"], "--json", "--set", "training.snapshotImages=0", .. settings.SelectMany(static s => new[] { "--set", s })];
        var expected = (double)CommandLine.Run([.. arguments, "--dry-run"]).Expect(0).Json["memory"]!["total"]!;
        var taken = (double)CommandLine.RunChild(files.Folder, arguments).Expect(0).Json["peakMemory"]!;
        Console.WriteLine($"{Path.GetFileName(recipe)} {string.Join(' ', settings)}: expected {expected / 1e6:N0} MB, took {taken / 1e6:N0} MB");
        Assert.AreEqual(1, expected / taken, Promised, $"expected {expected / 1e6:N0} MB, took {taken / 1e6:N0} MB");
        return taken;
    }

    private static string Recipe(TestFiles files, int batch) => files.Write("recipe.json",
        $$"""{ "method": "sid", "teacher": "teacher.onnx", "training": { "batch": {{batch}}, "threads": 2 }, "evaluation": { "samples": 0 } }""");
}
