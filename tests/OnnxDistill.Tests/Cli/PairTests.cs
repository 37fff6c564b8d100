using OnnxDistill.Data.Pairs;

namespace OnnxDistill.Tests.Cli;

/// <summary>Teacher pairs as a user of the command sees them: drawn once, shown, kept; not drawn where nothing is learnt.</summary>
[TestClass]
public sealed class PairTests
{
    private static readonly string[] Settings = ["--set", "method=dmd", "--set", "options.pairs.count=3000", "--set", "options.pairs.steps=2"];

    [TestMethod]
    public void ARunShowsHowPairsAreDrawnAndKeepsThem()
    {
        using var files = new TinyFiles();
        var output = CommandLine.Run(["distill", files["tiny.json"], "-o", files["run"], .. Settings]).Expect(0).Output;
        StringAssert.Contains(output, "3,000 / 3,000  teacher pairs");
        StringAssert.Contains(output, "3,000 pairs of the teacher in 2 steps");
        Assert.AreEqual(3000, PairFile.Read(files["run/pairs.npz"], [2], 0).Count);
    }

    [TestMethod]
    public void PairsInAFileServeRunsAndArtifactsAlike()
    {
        using var files = new TinyFiles();
        string[] kept = [.. Settings, "--set", "options.pairs.file=kept.npz"];
        CommandLine.Run(["artifacts", files["tiny.json"], "-o", files["artifacts"], .. kept]).Expect(0);
        var output = CommandLine.Run(["distill", files["tiny.json"], "-o", files["run"], .. kept]).Expect(0).Output;
        Assert.IsFalse(output.Contains("teacher pairs", StringComparison.Ordinal), output);
        Assert.IsFalse(File.Exists(files["run/pairs.npz"]));
        CollectionAssert.AreEqual(File.ReadAllBytes(files["kept.npz"]), File.ReadAllBytes(files["artifacts/pairs.npz"]));
    }

    [TestMethod]
    [DataRow("--dry-run")]
    [DataRow("--profile")]
    public void WhereNothingIsLearntNoPairsAreDrawn(string option)
    {
        using var files = new TinyFiles();
        var before = files.Listing();
        var output = CommandLine.Run(["distill", files["tiny.json"], "-o", files["run"], option, .. Settings, "--set", "options.pairs.file=kept.npz"]).Expect(0).Output;
        Assert.IsFalse(output.Contains("3,000 / 3,000", StringComparison.Ordinal), output);
        Assert.AreEqual(before, files.Listing());
    }

    [TestMethod]
    public void AWrongFileEndsARunBeforeItBegins()
    {
        using var files = new TinyFiles();
        files.Write("kept.npz", "no pairs");
        var error = CommandLine.Run(["distill", files["tiny.json"], "-o", files["run"], .. Settings, "--set", "options.pairs.file=kept.npz"]).Expect(3).Error;
        StringAssert.Contains(error, "kept.npz");
        Assert.IsFalse(File.Exists(files["run/options.json"]));
    }
}
