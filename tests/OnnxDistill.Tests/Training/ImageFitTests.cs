using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Teachers made of images: from scratch, fine-tuned, with classes and without.</summary>
[TestClass]
public sealed class ImageFitTests
{
    /// <summary>A class is a brightness: what the fitted teacher draws for it has that brightness.</summary>
    [TestMethod]
    public void AFittedTeacherDrawsWhatItWasShownForEachClass()
    {
        using var files = new TestFiles();
        var recipe = Recipe(files, "training.images=16000", "training.batch=32", "options.labelDropout=0.1");
        var run = Trainer.Run(TrainingProgram.Build(recipe), files["run"], false, new SilentObserver(), CancellationToken.None);
        var teacher = Denoiser.Load(run.GeneratorPath);
        Assert.AreEqual((2, 2, "image"), (teacher.Card.Labels, teacher.Card.NullLabel, teacher.Card.Data));
        Assert.AreEqual("fitted to images-idx3-ubyte", teacher.Card.Source);
        using var sampler = new TeacherSampler(teacher);
        var means = Enumerable.Range(0, 2).Select(label => sampler.Sample(32, 0, new SamplerOptions { Steps = 8 }, _ => label).Data.Average()).ToArray();
        // Images of class 0 have pixels of -0.8 and 0, those of class 1 of 0 and 0.8; half of each image.
        Assert.AreEqual(-0.4, means[0], 0.15);
        Assert.AreEqual(0.4, means[1], 0.15);
        Assert.IsTrue(File.Exists(System.IO.Path.Combine(files["run"], "samples-000016.png")), "a fit shows what its teacher draws");
    }

    [TestMethod]
    [DataRow(1, 0, 1)]
    [DataRow(2, 4, 1)]
    public void StoppedAndResumedOnAnyPartsIsTheUnbrokenRun(int lanes, int microBatch, int threads)
    {
        using var files = new TestFiles();
        string[] parts = [$"training.lanes={lanes}", $"training.microBatch={microBatch}", $"training.threads={threads}", "data.flip=true"];
        var unbroken = Trainer.Run(TrainingProgram.Build(Recipe(files, parts)), files["a"], false, new SilentObserver(), CancellationToken.None);
        Trainer.Run(TrainingProgram.Build(Recipe(files, [.. parts, "training.images=32"])), files["b"], false, new SilentObserver(), CancellationToken.None);
        var resumed = Trainer.Run(TrainingProgram.Build(Recipe(files, parts)), files["b"], true, new SilentObserver(), CancellationToken.None);
        CollectionAssert.AreEqual(File.ReadAllBytes(unbroken.GeneratorPath), File.ReadAllBytes(resumed.GeneratorPath));
    }

    [TestMethod]
    public void PartsTrainOnTheImagesOfTheWholeBatch()
    {
        using var files = new TestFiles();
        double Loss(params string[] parts)
        {
            using var engine = new TrainingEngine(TrainingProgram.Build(Recipe(files, [.. parts, "data.flip=true"])));
            engine.Step();
            return engine.Step().Losses["fit"];
        }
        var whole = Loss("training.lanes=1");
        // Sums come in another order: float32's rounding over a few hundred terms.
        Assert.AreEqual(whole, Loss("training.lanes=2", "training.microBatch=2"), 1e-5 * whole);
    }

    [TestMethod]
    public void AFittedTeacherIsTrainedOnFromItsFile()
    {
        using var files = new TestFiles();
        var first = Trainer.Run(TrainingProgram.Build(Recipe(files)), files["first"], false, new SilentObserver(), CancellationToken.None);
        var json = Json();
        json.Remove("network");
        json["initial"] = first.GeneratorPath;
        var program = TrainingProgram.Build(RecipeLoader.Resolve(json, files.Folder, "tuned", []));
        using var engine = new TrainingEngine(program);
        var name = program.Network(Roles.Student).Network.Parameters[0].Name;
        var weights = program.Network(Roles.Student).Layout.View(engine.States[Roles.Student].Current(OptimizerGraph.Weights), name).ToData();
        var card = TeacherCard.Read(RunExport.Build(engine));
        Assert.AreEqual("fitted to images-idx3-ubyte, then fitted to images-idx3-ubyte", card?.Source);
        CollectionAssert.AreEqual(OnnxReader.Read(first.GeneratorPath).Graph.Initializers.First(i => i.Name == name).Constant!.ToDoubles(), weights.ToDoubles());
    }

    [TestMethod]
    [DataRow("data.labels=", "network", "", DisplayName = "no classes: an unconditional teacher")]
    [DataRow("data.images=", "found neither", "x")]
    [DataRow("data.mixture=mixture.csv", "found both", "x")]
    [DataRow("data.images=nothing-idx3-ubyte", "There is no file", "x")]
    [DataRow("data.labels=images-idx3-ubyte", "1 were expected for labels", "x")]
    public void WrongDataIsOneClearError(string setting, string expected, string fails)
    {
        using var files = new TestFiles();
        if (fails.Length == 0)
        {
            Assert.IsFalse(TrainingProgram.Build(Recipe(files, setting)).Initial!.Card.IsConditional); // a fit has one
            return;
        }
        var error = Assert.Throws<Exception>(() => TrainingProgram.Build(Recipe(files, setting)));
        StringAssert.Contains(error.Message, expected);
    }

    [TestMethod]
    public void ImagesOfAnotherShapeOrNumberOfClassesAreRefused()
    {
        using var files = new TestFiles();
        var first = Trainer.Run(TrainingProgram.Build(Recipe(files)), files["first"], false, new SilentObserver(), CancellationToken.None);
        var json = Json();
        json.Remove("network");
        json["initial"] = first.GeneratorPath;
        var error = Assert.ThrowsExactly<RecipeException>(() => TrainingProgram.Build(RecipeLoader.Resolve(json, files.Folder, "tuned", ["data.labels="])));
        StringAssert.Contains(error.Message, "holds images [1, 8, 8] of 0 classes");
        // Fitted without dropping labels, it has none for "no class".
        Expect.Error<RecipeException>(() => TrainingProgram.Build(Recipe(files, "data.labels=", "options.labelDropout=0.1")), "options.labelDropout", "no classes");
        Expect.Error<RecipeException>(() => TrainingProgram.Build(RecipeLoader.Resolve(json, files.Folder, "tuned", ["options.labelDropout=0.1"])), "options.labelDropout", "--null-label");
    }

    [TestMethod]
    public void AStateOfOtherImagesIsRefused()
    {
        using var files = new TestFiles();
        var recipe = Recipe(files);
        Trainer.Run(TrainingProgram.Build(recipe), files["run"], false, new SilentObserver(), CancellationToken.None);
        WriteImages(files, brightness: 30);
        var error = Assert.ThrowsExactly<RecipeException>(() => Trainer.Run(TrainingProgram.Build(recipe), files["run"], true, new SilentObserver(), CancellationToken.None));
        StringAssert.Contains(error.Message, "recipe.data.images");
    }

    internal static LoadedRecipe Recipe(TestFiles files, params string[] settings)
    {
        WriteImages(files);
        return RecipeLoader.Resolve(Json(), files.Folder, "fit", settings);
    }

    private static JsonObject Json() => JsonNode.Parse("""
        {
          "method": "denoising-score-matching",
          "data": { "images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte" },
          "network": { "kind": "song-unet", "channels": 4, "multipliers": [1, 1], "blocks": 1, "attentionResolutions": [] },
          "training": { "batch": 8, "images": 64, "logImages": 32, "threads": 1, "optimizer": { "learningRate": 5e-3 }, "ema": { "halfLifeImages": 500 } },
          "evaluation": { "samples": 0, "pictureSamples": 4, "samplerSteps": 2 }
        }
        """)!.AsObject();

    // 8x8 images: the left half has one brightness, the right half another; class 1 is brighter than class 0.
    private static void WriteImages(TestFiles files, byte brightness = 0)
    {
        const int count = 20;
        var pixels = Enumerable.Range(0, count).SelectMany(i => Enumerable.Range(0, 64).Select(p => (byte)(26 + brightness + (102 * ((i % 2) + (p % 8 < 4 ? 0 : 1))))));
        files.Write("images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8, .. pixels]);
        files.Write("labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, count, .. Enumerable.Range(0, count).Select(i => (byte)(i % 2))]);
    }
}
