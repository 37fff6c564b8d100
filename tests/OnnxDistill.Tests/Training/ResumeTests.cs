using System.Buffers.Binary;
using System.Text.Json.Nodes;
using OnnxDistill.Methods;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>A run that is stopped and resumed is the unbroken one, bit for bit; a state that is not this run's is refused.</summary>
[TestClass]
public sealed class ResumeTests
{
    public static IEnumerable<object[]> Methods => DistillationMethods.Names.Select(n => new object[] { n });

    /// <summary>Stopped after three steps, between two rows of the log, so that the unfinished row has to survive.</summary>
    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void StoppedAndResumedIsTheUnbrokenRun(string method)
    {
        using var files = new TestFiles();
        string[] settings =
        [
            "training.snapshotImages=24", "training.stateImages=40", "training.optimizer.finalFraction=0.1", "training.optimizer.warmUpImages=16",
            "evaluation.mixture=mixture.csv", "evaluation.samples=20",
        ];
        var unbroken = Trainer.Run(Toys.Program(files, method, settings), files["unbroken"], resume: false, new SilentObserver(), CancellationToken.None);
        Assert.IsFalse(unbroken.Stopped);
        Assert.AreEqual(64, unbroken.ImagesSeen);

        using var stop = new CancellationTokenSource();
        var stopped = Trainer.Run(Toys.Program(files, method, settings), files["resumed"], resume: false, new StopAtFirstMetrics(stop), stop.Token);
        Assert.AreEqual((24L, true), (stopped.ImagesSeen, stopped.Stopped));
        // A program of its own, as a new process has it.
        var resumed = Trainer.Run(Toys.Program(files, method, settings), files["resumed"], resume: true, new SilentObserver(), CancellationToken.None);
        Assert.AreEqual((64L, false), (resumed.ImagesSeen, resumed.Stopped));
        AssertSame(files);
    }

    [TestMethod]
    [DataRow(8)]
    [DataRow(24)]
    [DataRow(40)]
    public void AStateOfAnyStepLeadsToTheSameEnd(int images)
    {
        using var files = new TestFiles();
        // The length of a run is free while the learning rate does not follow it: a shorter run stops exactly there.
        Trainer.Run(Toys.Program(files, "sid"), files["unbroken"], false, new SilentObserver(), CancellationToken.None);
        var part = Toys.Program(files, "sid", $"training.images={images}", "training.logImages=64");
        using var engine = new TrainingEngine(part);
        var rows = new RowAccumulator();
        var guard = new DivergenceGuard(part.Recipe.Recipe.Training);
        guard.Saving("state-000000.000.odc");
        // As the trainer does, with the rows of the whole run.
        using (var log = StatsLog.Create(Directory.CreateDirectory(files["resumed"]).FullName + "/log.csv", [.. RowAccumulator.Columns(part)]))
        {
            while (engine.ImagesSeen < images)
            {
                var result = engine.Step();
                rows.Add(result, 8);
                guard.Add(result);
                if (engine.ImagesSeen % 16 == 0)
                    log.Append(engine.ImagesSeen, rows.Take(0, 0).Numbers);
            }
        }
        File.WriteAllText(Path.Combine(files["resumed"], "latest"), "state-000000.008.odc\n");
        using (var stream = File.Create(Path.Combine(files["resumed"], "state-000000.008.odc")))
            TrainingState.Write(engine, stream, new JsonObject { ["row"] = rows.Save(), ["guard"] = guard.Save() });
        Trainer.Run(Toys.Program(files, "sid"), files["resumed"], true, new SilentObserver(), CancellationToken.None);
        AssertSame(files);
    }

    [TestMethod]
    public void ARunThatIsStoppedBeforeItsFirstStepCanBeResumed()
    {
        using var files = new TestFiles();
        Trainer.Run(Toys.Program(files, "diff-instruct"), files["unbroken"], false, new SilentObserver(), CancellationToken.None);
        var stopped = Trainer.Run(Toys.Program(files, "diff-instruct"), files["resumed"], false, new SilentObserver(), new CancellationToken(canceled: true));
        Assert.AreEqual((0L, true), (stopped.ImagesSeen, stopped.Stopped));
        Trainer.Run(Toys.Program(files, "diff-instruct"), files["resumed"], true, new SilentObserver(), CancellationToken.None);
        AssertSame(files);
    }

    [TestMethod]
    public void AFinishedRunIsResumedWithoutAChange()
    {
        using var files = new TestFiles();
        var first = Trainer.Run(Toys.Program(files, "sid"), files["unbroken"], false, new SilentObserver(), CancellationToken.None);
        Trainer.Run(Toys.Program(files, "sid"), files["resumed"], false, new SilentObserver(), CancellationToken.None);
        var again = Trainer.Run(Toys.Program(files, "sid"), files["resumed"], true, new SilentObserver(), CancellationToken.None);
        Assert.AreEqual(Path.GetFileName(first.GeneratorPath), Path.GetFileName(again.GeneratorPath));
        AssertSame(files);
    }

    [TestMethod]
    [DataRow("truncated", "damaged")]
    [DataRow("empty", "no OnnxDistill state")]
    [DataRow("flipped in the header", "checksum")]
    [DataRow("flipped in the vectors", "checksum")]
    [DataRow("flipped in the checksum", "checksum")]
    [DataRow("another version", "state format 3")]
    [DataRow("another file", "no OnnxDistill state")]
    public void ADamagedStateIsRefusedAndNothingChanges(string damage, string word)
    {
        using var files = new TestFiles();
        Trainer.Run(Toys.Program(files, "sid", "training.images=32"), files["run"], false, new SilentObserver(), CancellationToken.None);
        var path = Directory.GetFiles(files["run"], "*.odc").Order(StringComparer.Ordinal).Last();
        var bytes = File.ReadAllBytes(path);
        switch (damage)
        {
            case "truncated":
                bytes = bytes[..(bytes.Length / 2)];
                break;
            case "empty":
                bytes = [];
                break;
            case "flipped in the header":
                bytes[40] ^= 1;
                break;
            case "flipped in the vectors":
                bytes[^100] ^= 1;
                break;
            case "flipped in the checksum":
                bytes[^1] ^= 0x80;
                break;
            case "another version":
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), 3);
                break;
            default:
                bytes = "{ \"no\": \"state\" } and some more"u8.ToArray();
                break;
        }
        File.WriteAllBytes(path, bytes);
        AssertRefused<RecipeException>(files, Toys.Program(files, "sid"), word, Path.GetFileName(path));

        // The engine that read it is as it was, too.
        using var engine = new TrainingEngine(Toys.Program(files, "sid"));
        var before = Vectors(engine);
        using var stream = File.OpenRead(path);
        Expect.Error<RecipeException>(() => TrainingState.Read(engine, stream, "the state"), word);
        CollectionAssert.AreEqual(before, Vectors(engine));
        Assert.AreEqual(0, engine.Iteration);
    }

    [TestMethod]
    [DataRow("sid", "training.seed=9", "recipe.training.seed")]
    [DataRow("sid", "training.optimizer.learningRate=0.5", "recipe.training.optimizer.learningRate")]
    [DataRow("sid", "options.alpha=0.9", "recipe.options.alpha")]
    [DataRow("sid", "training.batch=4", "recipe.training.batch")]
    [DataRow("sid", "network.hidden=[9]", "recipe.network.hidden")]
    [DataRow("diff-instruct", "training.images=64", "recipe.method")]
    public void TheStateOfAnotherRecipeIsRefusedAndNothingChanges(string method, string setting, string word)
    {
        using var files = new TestFiles();
        Trainer.Run(Toys.Program(files, "sid", "training.images=32"), files["run"], false, new SilentObserver(), CancellationToken.None);
        AssertRefused<RecipeException>(files, Toys.Program(files, method, setting), "another recipe", method == "sid" ? word : "recipe.");
    }

    [TestMethod]
    public void AFolderWithARunIsNotOverwritten()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid", "training.images=16");
        Trainer.Run(program, files["run"], false, new SilentObserver(), CancellationToken.None);
        var before = Contents(files["run"]);
        Expect.Error<RunFolderException>(() => Trainer.Run(program, files["run"], false, new SilentObserver(), CancellationToken.None), "--resume", "Nothing was overwritten");
        CollectionAssert.AreEqual(before, Contents(files["run"]));
    }

    private static void AssertRefused<T>(TestFiles files, TrainingProgram program, params string[] words) where T : Exception
    {
        var before = Contents(files["run"]);
        Expect.Error<T>(() => Trainer.Run(program, files["run"], resume: true, new SilentObserver(), CancellationToken.None), words);
        CollectionAssert.AreEqual(before, Contents(files["run"]));
    }

    private static void AssertSame(TestFiles files)
    {
        var (expected, found) = (files["unbroken"], files["resumed"]);
        RunComparison.AssertSameState(Path.Combine(expected, "state-000000.064.odc"), Path.Combine(found, "state-000000.064.odc"));
        CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(expected, "generator-000000.064.onnx")), File.ReadAllBytes(Path.Combine(found, "generator-000000.064.onnx")));
        Assert.HasCount(5, RunComparison.Rows(expected));
        CollectionAssert.AreEqual(RunComparison.Rows(expected), RunComparison.Rows(found));
        CollectionAssert.AreEqual(RunComparison.Metrics(expected), RunComparison.Metrics(found));
    }

    private static string[] Contents(string folder) =>
        [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(f => $"{Path.GetFileName(f)} {Convert.ToHexString(File.ReadAllBytes(f))}")];

    private static float[] Vectors(TrainingEngine engine) =>
        [.. engine.States.Values.SelectMany(s => s.Vectors.SelectMany(v => s.Current(v).Span<float>().ToArray()))];

    /// <summary>Asks the run to stop when its first snapshot after the start is measured, or else at the second row of its log.</summary>
    private sealed class StopAtFirstMetrics(CancellationTokenSource stop) : IRunObserver
    {
        public void Progress(RunProgress progress)
        {
            if (progress.ImagesSeen == 32)
                stop.Cancel();
        }

        public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics)
        {
            if (imagesSeen == 24)
                stop.Cancel();
        }

        public void Note(string text)
        {
        }
    }
}
