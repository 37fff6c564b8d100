using System.Diagnostics;
using OnnxDistill.Cli;
using OnnxDistill.Tests.Training;

namespace OnnxDistill.Tests.Cli;

/// <summary>A run on a real disk of a few hundred kilobytes: a tmpfs in a mount namespace of its own, which needs no rights where user namespaces are allowed.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux, IgnoreMessage = "unshare and tmpfs are Linux'.")]
public sealed class FullDiskTests
{
    private const int CannotMount = 99;

    private static readonly string[] Settings =
    [
        "training.batch=32", "training.images=384", "training.stateImages=64", "training.logImages=32", "training.snapshotImages=32",
        "evaluation.pictureSamples=20", "evaluation.samples=20",
    ];

    /// <summary>Each size ends in another place: before the first state, with states there.</summary>
    [TestMethod]
    [DataRow(4)]
    [DataRow(240)]
    public void ADiskThatFillsUpEndsTheRunWithAClearErrorAndNoStateIsLost(int kilobytes)
    {
        using var files = new TinyFiles();
        string[] settings = [.. Settings.SelectMany(s => new[] { "--set", s })];
        var child = CommandLine.Child(files.Folder, ["distill", "tiny.json", "-o", "small/run", .. settings]);
        var script = $"mkdir small && mount -t tmpfs -o size={kilobytes}k none small || exit {CannotMount}; \"$@\"; code=$?; cp -r small kept; exit $code";
        var inside = new ProcessStartInfo("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", child.FileName, .. child.ArgumentList])
        {
            WorkingDirectory = files.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(inside)!;
        var result = CommandLine.End(process);
        if (result.Code == CannotMount || result.Error.StartsWith("unshare:", StringComparison.Ordinal))
            Assert.Inconclusive($"No small disk could be mounted here: {result.Error.Trim()}");
        result.Expect(ExitCodes.BadInput);
        StringAssert.Contains(result.Error, "The disk is full: ");
        Assert.DoesNotContain("   at ", result.Error, "a message, no stack trace");
        if (!File.Exists(files["kept/run/latest"]))
        {
            StringAssert.Contains(result.Error, "no state yet");
            Assert.AreEqual(4, kilobytes, "the larger disks have room for a state");
            return;
        }

        StringAssert.Contains(result.Error, "The newest whole state is ");
        CommandLine.Run(["distill", files["tiny.json"], "-o", files["unbroken"], .. settings]).Expect(0);
        CommandLine.Run(["distill", files["tiny.json"], "--resume", files["kept/run"], .. settings]).Expect(0);
        RunComparison.AssertSame(files["unbroken"], files["kept/run"]);
    }
}
