using OnnxDistill.Data.Pairs;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Runtime.Parallel;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Pairs are the teacher's samples of their noise, whoever draws them and whenever; a run has them once and for all.</summary>
[TestClass]
public sealed class TeacherPairsTests
{
    // More than the pairs between two looks at the user's wish to stop (8 batches of 256).
    private static readonly string[] Many = ["options.pairs.count=2500", "options.pairs.steps=3"];

    [TestMethod]
    public void PairsAreTheSamplesThatTheTeachersSamplerDraws()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "dmd", Many);
        var set = Made(program);
        using (var sampler = new TeacherSampler(program.Teacher!))
            CollectionAssert.AreEqual(sampler.Sample(2500, 2311, new SamplerOptions { Steps = 3 }).Data, set.Samples.Data);

        // Heun's method by hand, from the latents that are stored.
        var levels = TeacherSampler.Levels(program.Teacher!.Card, new SamplerOptions { Steps = 3 });
        using var session = GraphSession.Create(program.Teacher.Model);
        double[] Slope(double[] x, double sigma) => [.. session.Run(new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(Array.ConvertAll(x, v => (float)v), 1, 2),
            [Denoiser.Sigma] = TensorData.Of([(float)sigma], 1),
        })[Denoiser.Denoised].ToDoubles().Zip(x, (d, v) => (v - d) / sigma)];
        foreach (var i in new[] { 0, 1, 2047, 2048, 2499 })
        {
            var x = Array.ConvertAll(set.Latents[i].ToArray(), z => z * levels[0]);
            for (var step = 0; step < 3; step++)
            {
                var (slope, width) = (Slope(x, levels[step]), levels[step + 1] - levels[step]);
                var next = x.Zip(slope, (v, s) => v + (width * s)).ToArray();
                if (levels[step + 1] > 0)
                    next = [.. x.Zip(slope, Slope(next, levels[step + 1])).Select(t => t.First + (width * (t.Second + t.Third) / 2))];
                x = next;
            }
            for (var j = 0; j < 2; j++)
                Assert.AreEqual(x[j], set.Samples[i][j], 1e-5); // the network's float32, at another batch
        }
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(3)]
    public void RanksShareTheDrawingAndGetTheSameBits(int count)
    {
        using var files = new TestFiles();
        var recipe = Toys.Recipe(files, "dmd", [.. Many, "training.batch=12"]);
        var alone = Made(TrainingProgram.Build(recipe)).Digest();
        foreach (var digest in ThreadRanks.Run(count, ranks => Made(TrainingProgram.Build(recipe, ranks), ranks).Digest()))
            Assert.AreEqual(alone, digest);
    }

    [TestMethod]
    public void RanksGetWhatTheFirstHasRead()
    {
        using var files = new TestFiles();
        var recipe = Toys.Recipe(files, "dmd", [.. Many, "options.pairs.file=kept.npz"]);
        var alone = Made(TrainingProgram.Build(recipe)).Digest();
        var found = ThreadRanks.Run(2, ranks =>
        {
            var pairs = TrainingProgram.Build(recipe, ranks).Pairs!; // dmd learns from pairs
            Assert.IsTrue(pairs.Load(null, ranks));
            return pairs.Set.Digest();
        });
        CollectionAssert.AreEqual(new[] { alone, alone }, found);
    }

    [TestMethod]
    public void PairsOfAConditionalTeacherHaveTheClassesThatTheyWereDrawnFor()
    {
        using var files = new TestFiles();
        var teacher = SongUNet.Build(new SongUNetOptions { Channels = 8, Multipliers = [1], Blocks = 1, AttentionResolutions = [] }, new TeacherCard { Labels = 3 }, 1, 8, 8);
        OnnxWriter.Write(teacher.Model, files["teacher.onnx"]);
        var program = TrainingProgram.Build(RecipeLoader.Resolve(new()
        {
            ["method"] = "dmd",
            ["teacher"] = "teacher.onnx",
            ["training"] = new System.Text.Json.Nodes.JsonObject { ["batch"] = 2, ["threads"] = 1 },
        }, files.Folder, "images", ["options.pairs.count=5", "options.pairs.steps=2", "training.lanes=1"]));
        var set = Made(program);
        CollectionAssert.AreEqual(new long[] { 0, 1, 2, 0, 1 }, set.Labels);
        using var sampler = new TeacherSampler(teacher);
        CollectionAssert.AreEqual(sampler.Sample(5, 2311, new SamplerOptions { Steps = 2 }).Data, set.Samples.Data);
        using var engine = new TrainingEngine(program);
        Assert.IsFalse(engine.Step().IsBad);
    }

    [TestMethod]
    public void ARunThatIsStoppedWhilePairsAreDrawnIsResumedToTheSameEnd()
    {
        using var files = new TestFiles();
        Run(files, "unbroken");
        using var stop = new CancellationTokenSource();
        var stopped = Trainer.Run(Toys.Program(files, "dmd", Many), files["run"], false, new Stopping(stop, null), stop.Token);
        Assert.AreEqual((0L, true), (stopped.ImagesSeen, stopped.Stopped));
        Assert.IsFalse(File.Exists(files["run/pairs.npz"]));
        Run(files, "run", resume: true);
        RunComparison.AssertSame(files["unbroken"], files["run"]);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void AResumedRunReusesItsPairsOrDrawsThemAgain(bool lost)
    {
        using var files = new TestFiles();
        Run(files, "unbroken");
        using var stop = new CancellationTokenSource();
        Assert.IsTrue(Trainer.Run(Toys.Program(files, "dmd", Many), files["run"], false, new Stopping(stop, 32), stop.Token).Stopped);
        var before = File.ReadAllBytes(files["run/pairs.npz"]);
        var written = File.GetLastWriteTimeUtc(files["run/pairs.npz"]);
        if (lost)
            File.Delete(files["run/pairs.npz"]);
        Run(files, "run", resume: true);
        CollectionAssert.AreEqual(before, File.ReadAllBytes(files["run/pairs.npz"]));
        Assert.AreEqual(!lost, written == File.GetLastWriteTimeUtc(files["run/pairs.npz"]));
        RunComparison.AssertSame(files["unbroken"], files["run"]);
    }

    [TestMethod]
    [DataRow("options.pairs.steps=4", "Steps = 3", "Steps = 4")]
    [DataRow("options.pairs.seed=1", "Seed = 2311", "Seed = 1")]
    [DataRow("options.pairs.count=2499", "holds 2500 pairs", "asks for 2499")]
    public void OtherPairsThanTheRecipesAreRefusedBeforeAnythingIsWritten(string setting, params string[] words)
    {
        using var files = new TestFiles();
        Made(Toys.Program(files, "dmd", [.. Many, "options.pairs.file=kept.npz"]));
        var other = Toys.Program(files, "dmd", [.. Many, "options.pairs.file=kept.npz", setting]);
        Expect.Error<RecipeException>(() => Trainer.Run(other, files["run"], false, new SilentObserver(), CancellationToken.None), ["kept.npz", .. words]);
        Assert.IsFalse(File.Exists(files["run/options.json"]) || File.Exists(files["run/latest"]));
    }

    /// <summary>Pairs of another tool: their own number, and they belong to the run as its images do.</summary>
    [TestMethod]
    public void PairsThatSomebodyElseHasMadeAreTakenAsTheyAre()
    {
        using var files = new TestFiles();
        string[] settings = ["options.pairs.file=theirs.npz"];
        void Write(float first) => NpzFile.Write(files["theirs.npz"], new Dictionary<string, TensorData>
        {
            ["z"] = TensorData.Of(new TestRandom(1).FloatNormals(22), 11, 2),
            ["y"] = TensorData.Of([first, .. new TestRandom(2).FloatNormals(21)], 11, 2),
        });
        Write(0.5f);
        var program = Toys.Program(files, "dmd", [.. settings, "training.images=32"]);
        Trainer.Run(program, files["run"], false, new SilentObserver(), CancellationToken.None);
        Assert.AreEqual(11, program.Pairs!.Count); // dmd learns from pairs
        Assert.IsFalse(File.Exists(files["run/pairs.npz"]));
        Write(0.25f);
        Expect.Error<RecipeException>(() => Trainer.Run(Toys.Program(files, "dmd", settings), files["run"], true, new SilentObserver(), CancellationToken.None),
            "another recipe", "options.pairs.file");
    }

    private static PairSet Made(TrainingProgram program, IRankGroup? ranks = null)
    {
        var pairs = program.Pairs!; // dmd learns from pairs
        Assert.IsTrue(pairs.Make(null, new SilentObserver(), CancellationToken.None, ranks ?? SingleRank.Group));
        return pairs.Set;
    }

    private static void Run(TestFiles files, string folder, bool resume = false) =>
        Trainer.Run(Toys.Program(files, "dmd", Many), files[folder], resume, new SilentObserver(), CancellationToken.None);

    /// <summary>Asks the run to stop at a row of its log; without one, between two batches of pairs.</summary>
    private sealed class Stopping(CancellationTokenSource stop, long? images) : IRunObserver
    {
        public void Preparing(string what, long done, long count)
        {
            if (images is not null)
                return;
            Assert.AreEqual(("teacher pairs", 2048L, 2500L), (what, done, count));
            stop.Cancel();
        }

        public void Progress(RunProgress progress)
        {
            if (progress.ImagesSeen == images)
                stop.Cancel();
        }

        public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics)
        {
        }

        public void Note(string text)
        {
        }
    }
}
