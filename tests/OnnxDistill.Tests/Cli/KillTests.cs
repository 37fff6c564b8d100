using System.Diagnostics;
using System.Globalization;
using OnnxDistill.Cli;
using OnnxDistill.Methods;
using OnnxDistill.Tests.Methods;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Cli;

/// <summary>kill -9 at random moments, with every method: whatever was interrupted, the resumed run ends with the bytes of an unbroken one.</summary>
[TestClass]
public sealed class KillTests
{
    private static readonly string[] Settings =
    [
        "training.batch=32", "training.images=1920", "training.stateImages=32", "training.logImages=96", "training.snapshotImages=640",
        "training.optimizer.finalFraction=0.1", "training.keepStates=2",
    ];

    public TestContext TestContext { get; set; } = null!; // MSTest sets it

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows, IgnoreMessage = "Kills are SIGKILL.")]
    public void TenKillsLoseNothing() => KillAndCompare(atLeast: 10, seed: 17);

    [TestMethod]
    [TestCategory("Slow")]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows, IgnoreMessage = "Kills are SIGKILL.")]
    public void TwoHundredKillsLoseNothing() =>
        Assert.IsGreaterThan(20, KillAndCompare(atLeast: 200, seed: 4), "too few kills met a write for the test to mean much");

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows, IgnoreMessage = "Kills are SIGKILL.")]
    public void ARunningProcessKeepsOthersOutAndAKilledOneDoesNot()
    {
        using var files = new TinyFiles();
        using var child = Process.Start(CommandLine.Child(files.Folder, Arguments("diff-instruct", "-o", "run", "training.images=1000000000")))!;
        Assert.IsTrue(SpinWait.SpinUntil(() => File.Exists(files["run/latest"]), CommandLine.Patience));
        var refused = CommandLine.Run(["distill", files["tiny.json"], "--resume", files["run"]]).Expect(ExitCodes.WrongUsage);
        StringAssert.Contains(refused.Error, string.Create(CultureInfo.InvariantCulture, $"in use by process {child.Id}"));
        child.Kill();
        child.WaitForExit();
        CommandLine.Run([.. Arguments("diff-instruct", "--resume", files["run"], "training.images=64"), "--set", "training.images=64"]);
        RunFolder.Resume(files["run"]).Dispose();
    }

    private int KillAndCompare(int atLeast, int seed)
    {
        var (random, kills, midWrite) = (new Random(seed), 0, 0);
        var methods = DistillationMethods.Names.ToList();
        for (var i = 0; i < methods.Count; i++)
        {
            var method = methods[i];
            var each = Math.Max(1, (atLeast * (i + 1) / methods.Count) - (atLeast * i / methods.Count));
            using var files = new TinyFiles();
            CommandLine.Run(Absolute(files, Arguments(method, "-o", files["unbroken"]))).Expect(0);
            for (var left = each; left > 0;)
            {
                // As many kills as one run takes, then the next one of that method.
                while (left > 0 && Killed(files, method, random))
                {
                    (left, kills) = (left - 1, kills + 1);
                    midWrite += Directory.Exists(files["run"]) && Directory.GetFiles(files["run"], "*tmp").Length > 0 ? 1 : 0;
                    if (!File.Exists(files["run/latest"]) && Directory.Exists(files["run"]))
                        Directory.Delete(files["run"], recursive: true); // killed before its first state: started anew, as the message says
                }
                CommandLine.Run(Absolute(files, Arguments(method, Directory.Exists(files["run"]) ? "--resume" : "-o", files["run"]))).Expect(0);
                RunComparison.AssertSame(files["unbroken"], files["run"]);
                Assert.IsEmpty(Directory.GetFiles(files["run"], "*tmp"), "half files are cleared away");
                Directory.Delete(files["run"], recursive: true);
            }
        }
        TestContext.WriteLine($"seed {seed}: {kills} kills, {midWrite} of them while a file was being written");
        Assert.IsGreaterThanOrEqualTo(atLeast, kills);
        return midWrite;
    }

    // False when the run ended by itself before.
    private static bool Killed(TinyFiles files, string method, Random random)
    {
        var resume = Directory.Exists(files["run"]);
        using var child = Process.Start(CommandLine.Child(files.Folder, Arguments(method, resume ? "--resume" : "-o", "run")))!;
        _ = child.StandardOutput.ReadToEndAsync();
        _ = child.StandardError.ReadToEndAsync();
        if (random.Next(8) == 0)
        {
            child.WaitForExit(random.Next(600)); // while it starts, most likely
        }
        else
        {
            var begun = File.Exists(files["run/latest"]) ? File.GetLastWriteTimeUtc(files["run/latest"]) : default;
            SpinWait.SpinUntil(() => child.HasExited || (File.Exists(files["run/latest"]) && File.GetLastWriteTimeUtc(files["run/latest"]) != begun), CommandLine.Patience);
            child.WaitForExit(random.Next(60));
            // Half of them as soon as a temporary file is seen, or shortly after.
            if (random.Next(2) == 0)
            {
                SpinWait.SpinUntil(() => child.HasExited || Directory.GetFiles(files["run"], "*" + AtomicFile.TemporarySuffix).Length > 0, CommandLine.Patience);
                Thread.SpinWait(random.Next(20_000));
            }
        }
        child.Kill();
        child.WaitForExit();
        return child.ExitCode != 0;
    }

    private static string[] Arguments(string method, string option, string folder, params string[] more)
    {
        var fits = method == DenoisingScoreMatching.MethodName;
        var toy = MethodCases.All.First(c => c.Name == method);
        string[] own = [$"method={method}", .. toy.Options.Select(o => $"options.{o.Key}={o.Value!.ToJsonString()}"), .. toy.Create().NeedsTeacher ? Array.Empty<string>() : ["teacher="],
            .. toy.Create().NeedsSamples ? ["data.mixture=mixture.csv"] : Array.Empty<string>()];
        string[] evaluation = fits ? ["evaluation.pictureSamples=20"] : ["evaluation.pictureSamples=20", "evaluation.samples=20", .. own];
        return [fits ? "train" : "distill", fits ? "fit.json" : "tiny.json", option, folder, .. Settings.Concat(evaluation).Concat(more).SelectMany(s => new[] { "--set", s })];
    }

    private static string[] Absolute(TinyFiles files, string[] arguments) => [arguments[0], files[arguments[1]], .. arguments[2..]];
}
