using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>A run frees what it makes, however it ends. Alone, because the counts are the process's.</summary>
[TestClass]
[DoNotParallelize]
public sealed class LeakTests
{
    [TestMethod]
    public void ARunFreesEverything()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid", "training.snapshotImages=24", "evaluation.mixture=mixture.csv", "evaluation.samples=20");
        var before = Counts();
        Trainer.Run(program, files["run"], false, new SilentObserver(), CancellationToken.None);
        Assert.AreEqual(before, Counts());
        Trainer.Run(program, files["run"], true, new SilentObserver(), CancellationToken.None);
        Assert.AreEqual(before, Counts());
        RunExport.FromRun(files["run"]);
        Assert.AreEqual(before, Counts());
    }

    /// <summary>A start with a weight that is no number: every step is skipped, and after the allowed number the run gives up.</summary>
    [TestMethod]
    public void ARunThatDivergesSaysSoAndFreesEverything()
    {
        using var files = new TestFiles();
        var start = Toys.Mlp(1, 8).Model;
        var weight = start.Graph.Initializers.Single(i => i.Name == "hidden.0.weight");
        var values = weight.Constant!.As<float>().ToArray(); // an initializer has its data
        values[0] = float.NaN;
        weight.Constant = TensorData.Of(values, weight.Constant.Dims);
        OnnxWriter.Write(start, files["broken.onnx"]);
        var recipe = Toys.Recipe(files, "diff-instruct", "training.maxSkippedSteps=3", "training.images=640");
        recipe = recipe with { Recipe = recipe.Recipe with { Network = null, Initial = files["broken.onnx"] } };
        var program = TrainingProgram.Build(recipe);
        var before = Counts();
        Expect.Error<DivergedException>(() => Trainer.Run(program, files["run"], false, new SilentObserver(), CancellationToken.None),
            "3 steps in a row", "step 3", "gone back 0 of 2 times", "no state that a good step has followed", "learning rate");
        Assert.AreEqual(before, Counts());
    }

    [TestMethod]
    public void ARunThatCannotStartFreesEverything()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid");
        var before = Counts();
        Expect.Error<RunFolderException>(() => Trainer.Run(program, files["nowhere"], true, new SilentObserver(), CancellationToken.None), "no folder");
        Assert.AreEqual(before, Counts());
        var wrong = program.Recipe with { Recipe = program.Recipe.Recipe with { Evaluation = new() { Metrics = ["fd10"] } } };
        Expect.Error<RecipeException>(() => Trainer.Run(TrainingProgram.Build(wrong), files["run"], false, new SilentObserver(), CancellationToken.None), "fd10");
        Assert.AreEqual(before, Counts());
        Assert.IsFalse(Directory.Exists(files["run"]), "nothing is written before everything is known to work");
    }

    private static (long Buffers, long Sessions, long Bindings) Counts() => (TensorBuffer.LiveCount, GraphSession.LiveCount, SessionBinding.LiveCount);
}
