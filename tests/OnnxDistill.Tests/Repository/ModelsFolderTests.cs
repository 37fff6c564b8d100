using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;

namespace OnnxDistill.Tests.Repository;

/// <summary>The folder of models stays small, and its recipes work from a fresh clone.</summary>
[TestClass]
public sealed class ModelsFolderTests
{
    private const long LargestFile = 4L << 20;
    private const long LargestFolder = 40_000_000;

    // Its source states no licence, so neither it nor what it is measured with is in the repository (models/README.md).
    private const string WithoutItsFiles = "dit-mnist32/sid.json";

    // Lists of runs that tools/OnnxDistill.Bench compares.
    private const string List = "compare.json";

    public static IEnumerable<object[]> Recipes => Directory.GetFiles(RepositoryRoot.Of("models"), "*.json", SearchOption.AllDirectories).Where(p => Path.GetFileName(p) != List)
        .Select(p => new object[] { Path.GetRelativePath(RepositoryRoot.Of("models"), p).Replace('\\', '/') });

    [TestMethod]
    public void EveryFileAndTheWholeFolderStaySmall()
    {
        var files = new DirectoryInfo(RepositoryRoot.Of("models")).GetFiles("*", SearchOption.AllDirectories);
        Assert.AreEqual("", string.Join(", ", files.Where(f => f.Length >= LargestFile).Select(f => f.Name)), "4 MiB a file");
        Assert.IsLessThan(LargestFolder, files.Sum(f => f.Length));
    }

    [TestMethod]
    [DynamicData(nameof(Recipes))]
    public void ARecipeParsesAndItsFilesAreThere(string recipe)
    {
        var loaded = RecipeLoader.Load(RepositoryRoot.Of("models", recipe));
        var (top, evaluation) = (loaded.Recipe, loaded.Recipe.Evaluation);
        string[] files = [top.Teacher, top.Initial, top.Data.Mixture, top.Data.Images, top.Data.Labels, evaluation.Mixture, evaluation.Images, evaluation.Features];
        // Data sets and what they are measured with lie beside the repository; models/README.md says so.
        var own = files.Where(f => f.StartsWith(RepositoryRoot.Of(), StringComparison.Ordinal));
        var missing = own.Where(f => f.Length > 0 && !File.Exists(f)).ToList();
        if (recipe == WithoutItsFiles)
            Assert.Contains(top.Teacher, missing, "the exception is needed no more");
        else
            Assert.AreEqual("", string.Join(", ", missing));
    }

    [TestMethod]
    [DataRow("forty")]
    [DataRow("mnist")]
    public void EveryRunOfAComparisonIsARecipeWithSettingsThatItTakes(string folder)
    {
        var list = RecipeLoader.Parse(File.ReadAllText(RepositoryRoot.Of("models", folder, List)), List);
        string[] Settings(JsonNode? group) => [.. (group?["settings"] as JsonArray ?? []).Select(s => s!.GetValue<string>())];
        var runs = list["runs"]!.AsArray();
        Assert.IsGreaterThan(1, runs.Count);
        foreach (var run in runs)
        {
            var loaded = RecipeLoader.Load(RepositoryRoot.Of("models", folder, run!["recipe"]!.GetValue<string>()), [.. Settings(list), .. Settings(run)]);
            StringAssert.StartsWith(run["name"]!.GetValue<string>(), loaded.Method.Name);
        }
        // All methods of the list have the same means: seconds, or images.
        CollectionAssert.Contains(new[] { "seconds", "images" }, list["against"]!.GetValue<string>());
        Assert.IsTrue(Settings(list).Any(s => s.StartsWith($"training.{list["against"]!.GetValue<string>()}=", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void EveryModelIsADenoiserOrAGeneratorWithALicenceAndIsNamedInTheReadme()
    {
        var readme = File.ReadAllText(RepositoryRoot.Of("models", "README.md"));
        var models = Directory.GetFiles(RepositoryRoot.Of("models"), "*.onnx", SearchOption.AllDirectories);
        Assert.IsNotEmpty(models);
        foreach (var model in models)
        {
            var metadata = OnnxReader.Read(model).Metadata;
            var licence = metadata["onnxdistill.kind"] == "generator" ? metadata["onnxdistill.teacher_licence"] : Denoiser.Load(model).Card.Licence;
            Assert.AreNotEqual(new TeacherCard().Licence, licence, model);
            StringAssert.Contains(readme, Path.GetRelativePath(RepositoryRoot.Of("models"), model).Replace('\\', '/'));
        }
    }
}
