using System.Text.Json.Nodes;

namespace OnnxDistill.Tests.Cli;

/// <summary><c>distill --profile</c>: where the time goes, and no trace left.</summary>
[TestClass]
public sealed class ProfileTests
{
    [TestMethod]
    public void TellsTheDearestOperatorsAndNodesOfEachPhaseAndWritesNothing()
    {
        using var files = new TinyFiles();
        var before = Directory.GetFileSystemEntries(files.Folder).Length;
        var json = JsonNode.Parse(CommandLine.Run("distill", files["tiny.json"], "-o", files["profiled"], "--profile", "3", "--json").Expect(0).Output)!;
        var phases = json["phases"]!.AsArray();
        CollectionAssert.AreEqual(new[] { "fake_score", "student" }, phases.Select(p => (string)p!["name"]!).ToArray());
        foreach (var phase in phases)
        {
            var (operators, nodes) = (phase!["operators"]!.AsArray(), phase["nodes"]!.AsArray());
            Assert.IsTrue(operators.Any(o => ((string)o!["operator"]!).Contains("Gemm", StringComparison.Ordinal)), operators.ToJsonString());
            Assert.IsTrue(nodes.Any(n => ((string)n!["outputShape"]!).StartsWith("[32,", StringComparison.Ordinal)), "a batch of 32 leaves no node of its size");
            var times = nodes.Select(n => (double)n!["milliseconds"]!).ToList();
            CollectionAssert.AreEqual(times.OrderDescending().ToList(), times);
        }
        Assert.IsGreaterThan(0, (double)json["millisecondsPerIteration"]!);
        Assert.HasCount(before, Directory.GetFileSystemEntries(files.Folder));
    }

    [TestMethod]
    public void NoNumberMeansTenAndAWrongOneIsTold()
    {
        using var files = new TinyFiles();
        StringAssert.Contains(CommandLine.Run("distill", files["tiny.json"], "--profile").Expect(0).Output, "phase student");
        StringAssert.Contains(CommandLine.Run("distill", files["tiny.json"], "--profile", "0").Expect(2).Error, "expected 1 to 100000");
    }
}
