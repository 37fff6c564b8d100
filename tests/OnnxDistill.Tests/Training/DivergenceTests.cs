using OnnxDistill.Methods;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Runs against a teacher that answers NaN beyond a radius: bad steps now and then, or for good once the student has left it.</summary>
[TestClass]
public sealed class DivergenceTests
{
    private const int Steps = 20;

    /// <summary>Noise that hardly moves a sample, so that only the student's own steps lead beyond the radius.</summary>
    private static readonly string[] Leaving =
    [
        "options.studentNoise.kind=power", "options.studentNoise.min=0.01", "options.studentNoise.max=0.02", "options.studentNoise.absolute=true",
        "training.optimizers.student.learningRate=1", "training.stateImages=8", "training.snapshotImages=40", "training.maxSkippedSteps=4", "training.rollbackFactor=0.001",
    ];

    [TestMethod]
    public void BadStepsAreLeftOutCountedAndTheRunGoesOn()
    {
        using var files = new TestFiles();
        var observer = new Watch();
        var result = Run(files, radius: 5, observer);
        Assert.AreEqual((Steps * 8L, 0, 0L), (result.ImagesSeen, result.Rollbacks, result.ReplacedNumbers));
        Assert.IsTrue(result.SkippedUpdates is > 0 and < Steps, $"{result.SkippedUpdates} updates left out");
        Assert.AreEqual(result.SkippedUpdates, result.NonFiniteLosses);
        Assert.AreEqual(result.SkippedUpdates, observer.Rows.Sum(r => r["skipped_updates"]));
        Assert.AreEqual(result.SkippedUpdates, observer.Rows[^1]["skipped_total"]);
    }

    [TestMethod]
    public void UnderThePapersRuleBadNumbersAreReplacedCountedAndEveryUpdateIsMade()
    {
        using var files = new TestFiles();
        var observer = new Watch();
        var result = Run(files, radius: 5, observer, "training.optimizer.nonFinite=zero");
        Assert.AreEqual((Steps * 8L, 0, 0L), (result.ImagesSeen, result.Rollbacks, result.SkippedUpdates));
        Assert.IsGreaterThan(0, result.NonFiniteLosses);
        Assert.IsGreaterThanOrEqualTo(result.NonFiniteLosses, result.ReplacedNumbers);
        Assert.AreEqual(result.ReplacedNumbers, observer.Rows.Sum(r => r["replaced_numbers"]));
    }

    [TestMethod]
    public void ADivergedRunGoesBackAndReachesItsEndWithASmallerStep()
    {
        using var files = new TestFiles();
        var observer = new Watch();
        var result = Run(files, radius: 4, observer, Leaving);
        Assert.AreEqual((Steps * 8L, 1), (result.ImagesSeen, result.Rollbacks));
        StringAssert.Contains(observer.Notes.Single(), "0.001 of the recipe's learning rates");
        StringAssert.Contains(File.ReadAllText(files["run/incidents.csv"]), "rolled back,");
        Assert.HasCount(1, Directory.GetFiles(files["run"], "diverged-1-*.odc"));
        var rows = RunComparison.Rows(files["run"]);
        Assert.HasCount(1 + (Steps / 2), rows);
        // The rows of the stretch that was undone are gone; the total remembers it.
        Assert.AreEqual(0, observer.Rows[^1]["skipped_updates"]);
        Assert.IsGreaterThanOrEqualTo(4, observer.Rows[^1]["skipped_total"]);
    }

    /// <summary>Stopped before, within and after the bad stretch, also where an unbroken run saves no state.</summary>
    [TestMethod]
    public void StoppedAnywhereAroundARollbackAndResumedIsTheUnbrokenRun()
    {
        using var files = new TestFiles();
        Toys.WriteEdgeTeacher(files["edge.onnx"], 4);
        string[] settings = [.. Leaving, "training.stateImages=16"];
        var unbroken = Trainer.Run(Program(files, settings), files["unbroken"], false, new Watch(), CancellationToken.None);
        Assert.AreEqual(1, unbroken.Rollbacks);
        foreach (var steps in new[] { 1, 3, 5, 8 })
        {
            using var stop = new CancellationTokenSource();
            var folder = files[$"stopped{steps}"];
            Assert.IsTrue(Trainer.Run(Program(files, settings), folder, false, new Watch(stop, steps), stop.Token).Stopped);
            Trainer.Run(Program(files, settings), folder, true, new Watch(), CancellationToken.None);
            RunComparison.AssertSame(files["unbroken"], folder);
        }
    }

    [TestMethod]
    public void WithoutFurtherRollbacksItEndsWithAllEvidenceAndCanBeGivenAnotherChance()
    {
        using var files = new TestFiles();
        string[] hopeless = [.. Leaving, "training.rollbacks=1", "training.rollbackFactor=1"];
        Expect.Error<DivergedException>(() => Run(files, radius: 4, new Watch(), hopeless), "4 steps in a row", "gone back 1 of 1 times", "--set training.rollbacks=2", "diverged-2-");
        Assert.HasCount(1, Directory.GetFiles(files["run"], "diverged-1-*.odc"));
        Assert.HasCount(1, Directory.GetFiles(files["run"], "diverged-2-*.odc"));
        var incidents = File.ReadAllLines(files["run/incidents.csv"]);
        Assert.HasCount(3, incidents);
        Assert.Contains(",rolled back,", incidents[1]);
        Assert.Contains(",diverged,", incidents[2]);

        var result = Trainer.Run(Program(files, [.. Leaving, "training.rollbacks=2"]), files["run"], true, new Watch(), CancellationToken.None);
        Assert.AreEqual((Steps * 8L, 2), (result.ImagesSeen, result.Rollbacks));
    }

    /// <summary>A term without gradient that is NaN at some steps.</summary>
    [TestMethod]
    [DataRow("skip")]
    [DataRow("zero")]
    public void ALossThatIsNotFiniteSpoilsASoundGradientOnlyUnderSkip(string rule)
    {
        using var files = new TestFiles();
        var recipe = Toys.Recipe(files, "diff-instruct", $"training.optimizer.nonFinite={rule}");
        using var engine = new TrainingEngine(TrainingProgram.Build(recipe with { Method = new Spoilt(recipe.Method) }));
        var student = engine.States[Roles.Student];
        var (bad, made) = (0, 0L);
        for (var step = 0; step < Steps; step++)
        {
            var result = engine.Step();
            Assert.IsTrue(double.IsFinite(result.GradientNorms[Roles.Student]));
            Assert.AreEqual((rule == "skip" ? result.NonFiniteLosses : 0, 0L), (result.Skipped, result.Replaced));
            bad += result.NonFiniteLosses;
            made += 1 - result.Skipped;
            Assert.AreEqual(made, student.Step);
        }
        Assert.IsTrue(bad is > 0 and < Steps, $"{bad} bad losses");
    }

    private static TrainingProgram Program(TestFiles files, params string[] settings) =>
        Toys.Program(files, "diff-instruct", ["teacher=edge.onnx", $"training.images={Steps * 8}", .. settings]);

    private static RunResult Run(TestFiles files, double radius, IRunObserver observer, params string[] settings)
    {
        Toys.WriteEdgeTeacher(files["edge.onnx"], radius);
        return Trainer.Run(Program(files, settings), files["run"], false, observer, CancellationToken.None);
    }

    private sealed class Watch(CancellationTokenSource? stop = null, int stopAfter = int.MaxValue) : IRunObserver
    {
        private int _steps;

        public List<IReadOnlyDictionary<string, double>> Rows { get; } = [];

        public List<string> Notes { get; } = [];

        public void Stepped(long imagesSeen, long images)
        {
            if (++_steps == stopAfter)
                stop!.Cancel(); // given with the number
        }

        public void Progress(RunProgress progress) => Rows.Add(progress.Numbers);

        public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics)
        {
        }

        public void Note(string text) => Notes.Add(text);
    }

    private sealed class Spoilt(IDistillationMethod inner) : IDistillationMethod
    {
        public string Name => inner.Name;
        public string Paper => inner.Paper;
        public object Options => inner.Options;
        public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => inner.Auxiliaries;
        public System.Text.Json.Nodes.JsonObject Preset => inner.Preset;
        public IReadOnlyList<TrainingPhase> Phases => [.. inner.Phases.Select(p => p.Name != Roles.Student ? p : p with { BuildLoss = c => Spoil(c, p.BuildLoss(c)) })];

        // The root of a negative number in one of forty samples.
        private static Graph.Model.Value Spoil(LossContext c, Graph.Model.Value loss) =>
            c.B.Add(loss, c.B.StopGradient(c.BatchMean(c.B.Sqrt(c.B.Add(c.UniformPerSample("spoil"), -0.025)))));
    }
}
