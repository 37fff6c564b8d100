using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using OnnxDistill.Cli;

namespace OnnxDistill.Tests.Cli;

/// <summary>Ctrl+C in the middle of a run.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows, IgnoreMessage = "Signals are sent with kill.")]
public sealed partial class StopTests
{
    [TestMethod]
    [DataRow("INT")]
    [DataRow("TERM")]
    public void AStoppedRunSavesItsStateAndEndsAsAnUnbrokenOne(string signal)
    {
        using var files = new TinyFiles();
        using var process = Process.Start(CommandLine.Child(files.Folder, ["distill", "tiny.json", "-o", "run", "--set", "training.images=1000000000"]))!;
        while (process.StandardOutput.ReadLine() is { } line && !line.Contains("left", StringComparison.Ordinal))
        {
        }
        using (var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]))
            kill.WaitForExit();
        var stopped = CommandLine.End(process).Expect(ExitCodes.Stopped);
        StringAssert.Contains(stopped.Error, "the state will be saved");
        StringAssert.Contains(stopped.Output, "onnxdistill distill tiny.json --set training.images=1000000000 --resume run");
        var seen = long.Parse(Seen().Match(stopped.Output).Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        Assert.IsGreaterThan(0, seen);
        Assert.IsTrue(File.Exists(files["run/latest"]));

        var images = string.Create(CultureInfo.InvariantCulture, $"training.images={seen + 640}");
        var resumed = CommandLine.Run("distill", files["tiny.json"], "--resume", files["run"], "--set", images, "--json").Expect(0).Json;
        var whole = CommandLine.Run("distill", files["tiny.json"], "-o", files["whole"], "--set", images, "--json").Expect(0).Json;
        Assert.AreEqual(seen + 640, resumed["imagesSeen"]!.GetValue<long>());
        RunTests.AssertSameGenerator(whole, resumed);
    }

    [GeneratedRegex("Stopped after ([0-9,]+) samples")]
    private static partial Regex Seen();
}
