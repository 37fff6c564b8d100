using System.Globalization;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Runtime.Parallel;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Runs that end, and are measured, by seconds of training.</summary>
[TestClass]
public sealed class TimeLimitTests
{
    private const double Limit = 0.3;

    private static readonly string[] Settings =
    [
        "training.images=1000000000", "training.logImages=100000000", "training.seconds=0.3", "training.snapshotSeconds=0.1", "evaluation.mixture=mixture.csv", "evaluation.samples=20",
    ];

    [TestMethod]
    public void ARunEndsFinishedWithItsLastSnapshotWhenItsTimeIsUsed()
    {
        using var files = new TestFiles();
        var result = Trainer.Run(Toys.Program(files, "diff-instruct", Settings), files["run"], false, new SilentObserver(), CancellationToken.None);
        Assert.IsFalse(result.Stopped);
        Assert.IsTrue(File.Exists(result.GeneratorPath));
        StringAssert.Contains(result.GeneratorPath, KimgName.Format(result.ImagesSeen, 8), "exported after its last step");
        var rows = Rows(files, "metrics.csv");
        // At the start, at each tenth of a second, and at the end, which is a multiple as well; a step that is slower than the interval passes several at once.
        Assert.IsTrue(rows.Length is >= 2 and <= 4, $"{rows.Length} snapshots");
        Assert.AreEqual((0L, 0.0), rows[0]);
        Assert.AreEqual(result.ImagesSeen, rows[^1].Images);
        Assert.IsGreaterThanOrEqualTo(Limit, rows[^1].Seconds);
        Assert.AreEqual(rows[^1], Rows(files, "log.csv").Single(), "the log tells the same time");
        for (var i = 1; i < rows.Length - 1; i++)
            Assert.AreNotEqual(Math.Floor(rows[i - 1].Seconds / 0.1), Math.Floor(rows[i].Seconds / 0.1));
    }

    [TestMethod]
    public void AFinishedRunStaysAndALongerLimitGoesOnFromTheTimeThatWasUsed()
    {
        using var files = new TestFiles();
        RunResult Run(bool resume, params string[] more) =>
            Trainer.Run(Toys.Program(files, "diff-instruct", [.. Settings, .. more]), files["run"], resume, new SilentObserver(), CancellationToken.None);
        var first = Run(resume: false);
        var again = Run(resume: true);
        Assert.AreEqual((first.ImagesSeen, first.GeneratorPath, false), (again.ImagesSeen, again.GeneratorPath, again.Stopped));
        var used = Rows(files, "metrics.csv")[^1].Seconds;

        var longer = Run(resume: true, FormattableString.Invariant($"training.seconds={used + 0.05}"));
        Assert.IsGreaterThan(first.ImagesSeen, longer.ImagesSeen);
        // Had the clock begun anew, the last row would stand at about 'used', not past it.
        Assert.IsGreaterThanOrEqualTo(used + 0.049, Rows(files, "metrics.csv")[^1].Seconds);
        Assert.IsLessThan(2 * used, Rows(files, "metrics.csv")[^1].Seconds, "and no more than the missing time was added, with room for a slow step");
    }

    [TestMethod]
    public void RanksEndAfterTheSameStepByTheClockOfTheFirst()
    {
        using var files = new TestFiles();
        var recipe = Toys.Recipe(files, "diff-instruct", Settings);
        var seen = ThreadRanks.Run(2, ranks =>
            Trainer.Run(TrainingProgram.Build(recipe, ranks), files["run"], false, new SilentObserver(), CancellationToken.None, ranks: ranks).ImagesSeen);
        Assert.AreEqual(seen[0], seen[1]);
        Assert.IsGreaterThan(0L, seen[0]);
        // The second rank's steps take an hour by its own clock.
        var clocks = ThreadRanks.Run(2, ranks =>
        {
            var clock = new TrainingClock(recipe.Recipe.Training, ranks);
            clock.Add(ranks.Rank == 0 ? TimeSpan.FromSeconds(0.15) : TimeSpan.FromHours(1));
            return (clock.Seconds, clock.SnapshotDue, clock.IsUp);
        });
        Assert.AreEqual((0.15, true, false), clocks[1]);
    }

    private static (long Images, double Seconds)[] Rows(TestFiles files, string name) =>
    [
        .. File.ReadAllLines(files[$"run/{name}"]).Skip(1).Select(l => l.Split(','))
            .Select(c => (long.Parse(c[0], CultureInfo.InvariantCulture), double.Parse(c[1], CultureInfo.InvariantCulture))),
    ];
}
