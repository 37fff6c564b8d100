using System.Globalization;
using System.Text.Json.Nodes;
using OnnxDistill.Artifacts;
using OnnxDistill.Data;
using OnnxDistill.Graph.Io;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Javascript;
using OnnxDistill.Tests.Repository;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>The page of tools/js/pages/train in headless Chromium: it trains in WebAssembly as .NET does, and shows it.</summary>
[TestClass]
public sealed class TrainPageTests
{
    [TestMethod]
    [DataRow("points")]
    [DataRow("images")]
    public void TwentyIterationsInABrowserHaveTheLossesOfDotNet(string kind)
    {
        using var files = new TestFiles();
        var program = TrainedRecipes.Program(files, kind);
        Build(files, program, "site");
        using var engine = new TrainingEngine(program);
        var expected = TrainedRecipes.Losses(engine, 20);
        var found = NodeTool.Browse("checks/train-page.mjs", files["site"], "--steps", "20", "--every", "10", "--save", files["page.onnx"]);
        TrainedRecipes.AreEqual(expected, found["steps"]!.AsArray());
        Assert.AreEqual(20, found["sampledAt"]!.GetValue<int>());
        CollectionAssert.AreNotEqual(Numbers(found["before"]!), Numbers(found["now"]!));
        Assert.AreNotEqual(found["pictureBefore"]!.GetValue<string>(), found["pictureNow"]!.GetValue<string>());
        Assert.AreEqual("20", found["shownStep"]!.GetValue<string>());
        TrainedRecipes.DrawTheSame(RunExport.Build(engine), OnnxReader.Read(files["page.onnx"]));
    }

    [TestMethod]
    public void SamplesComeNearerToTheModesAndAPauseEndsTheTraining()
    {
        using var files = new TestFiles();
        Build(files, TrainedRecipes.Program(files, "points"), "site");
        var found = NodeTool.Browse("checks/train-page.mjs", files["site"], "--steps", "100000", "--every", "100", "--vector", "weights", "--pause", "300");
        Assert.IsGreaterThanOrEqualTo(300, found["steps"]!.AsArray().Count);
        Assert.IsLessThan(5000, found["steps"]!.AsArray().Count, "the pause came at once");
        var mixture = GaussianMixtureCsv.Read(RepositoryRoot.Of("models", "ring8", "mixture.csv"));
        double[][] modes = [.. Enumerable.Range(0, mixture.ModeCount).Select(m => mixture.Mean(m).ToArray())];
        var (before, now) = (Distance(modes, Numbers(found["before"]!)), Distance(modes, Numbers(found["now"]!)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"mean distance to the nearest mode: {before:F3} before, {now:F3} after {found["sampledAt"]} steps"));
        Assert.IsLessThan(0.75 * before, now);
    }

    [TestMethod]
    public void AVisitorsOwnFolderIsTrainedAndAWrongOneIsRefused()
    {
        using var files = new TestFiles();
        ArtifactWriter.Write(Training.Toys.Program(files, "sid"), files["artifacts"]);
        NodeTool.Run("build.mjs", files["site"]);
        var found = NodeTool.Browse("checks/train-page.mjs", files["site"], "--choose", files["artifacts"], "--steps", "3", "--every", "1");
        Assert.AreEqual(3, found["steps"]!.AsArray().Count);
        File.Delete(files["artifacts/generator.onnx"]);
        File.Delete(files["artifacts/student.onnx"]);
        var refused = NodeTool.Browse("checks/train-page.mjs", files["site"], "--choose", files["artifacts"], "--refused");
        StringAssert.Contains(refused["message"]!.GetValue<string>(), "The folder has no 'student.onnx'");
    }

    [TestMethod]
    public void ThePageIsBuiltOfWholeFoldersAndReplacesNothing()
    {
        using var files = new TestFiles();
        ArtifactWriter.Write(Training.Toys.Program(files, "sid"), files["artifacts"]);
        files.Write("artifacts/notes.txt", "not part of it");
        NodeTool.Run("build.mjs", files["site"], files["artifacts"]);
        Assert.IsFalse(File.Exists(files["site/artifacts/notes.txt"]));
        NodeTool.Fails(3, ["not empty", "nothing was overwritten"], "build.mjs", files["site"]);
        NodeTool.Fails(3, ["There is no", "manifest.json"], "build.mjs", files["other"], files["nowhere"]);
        File.Delete(files["artifacts/student.onnx"]);
        NodeTool.Fails(3, ["lacks student.onnx"], "build.mjs", files["other"], files["artifacts"]);
        Assert.IsFalse(Directory.Exists(files["other"]));
        // Self-contained: nothing in it points elsewhere.
        foreach (var file in Directory.EnumerateFiles(files["site"]).Where(f => Path.GetExtension(f) is ".html" or ".css" or ".mjs"))
            Assert.DoesNotContain("://", File.ReadAllText(file), file);
    }

    private static void Build(TestFiles files, TrainingProgram program, string site)
    {
        ArtifactWriter.Write(program, files["artifacts"]);
        NodeTool.Run("build.mjs", files[site], files["artifacts"]);
    }

    private static float[] Numbers(JsonNode array) => [.. array.AsArray().Select(n => n!.GetValue<float>())];

    private static double Distance(IReadOnlyList<double[]> modes, float[] points) => points.Chunk(2)
        .Average(p => modes.Min(m => Math.Sqrt(Math.Pow(p[0] - m[0], 2) + Math.Pow(p[1] - m[1], 2))));
}
