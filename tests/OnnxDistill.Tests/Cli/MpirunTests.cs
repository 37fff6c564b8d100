using System.Diagnostics;
using System.Globalization;
using OnnxDistill.Cli;
using OnnxDistill.Tests.Training;

namespace OnnxDistill.Tests.Cli;

/// <summary>The command under mpirun: real processes over Open MPI.</summary>
[TestClass]
[OSCondition(ConditionMode.Include, OperatingSystems.Linux, IgnoreMessage = "Processes are found by /proc.")]
public sealed class MpirunTests
{
    private static readonly KeyValuePair<string, string?>[] AsRoot = [new("OMPI_ALLOW_RUN_AS_ROOT", "1"), new("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")];

    [TestMethod]
    public void TwoRanksHaveTheLossesAndSamplesOfOne() => AssertAgree(2);

    [TestMethod]
    [TestCategory("Slow")]
    public void FourRanksHaveTheLossesAndSamplesOfOne() => AssertAgree(4);

    private static void AssertAgree(int ranks)
    {
        using var files = new TinyFiles();
        // 640 samples are twenty steps, a row each; 600 points are three batches of the sampler.
        string[] settings = ["--set", "training.logImages=32", "--set", "evaluation.pictureSamples=600"];
        CommandLine.Run(["distill", files["tiny.json"], "-o", files["r1"], .. settings]).Expect(0);
        var result = Run(files, ranks, ["distill", "tiny.json", "-o", "many", "--json", .. settings]).Expect(0);
        Assert.AreEqual(640, result.Json["imagesSeen"]!.GetValue<long>(), "one object, of rank 0");
        AssertSameLog(files, "r1", "many", rows: 20);
        CollectionAssert.AreEqual(File.ReadAllBytes(files["r1/samples-000000.000.png"]), File.ReadAllBytes(files["many/samples-000000.000.png"]));
        CollectionAssert.AreEqual(Names(files["r1"]), Names(files["many"]));
    }

    [TestMethod]
    [TestCategory("Slow")]
    public void SampleAndEvaluateGiveTheSameBitsOnTwoRanks()
    {
        using var files = new TinyFiles();
        var generator = files.Generator();
        CommandLine.Run("sample", generator, "-n", "600", "-o", files["one.npy"]).Expect(0);
        Run(files, 2, ["sample", "generator.onnx", "-n", "600", "-o", "two.npy"]).Expect(0);
        CollectionAssert.AreEqual(File.ReadAllBytes(files["one.npy"]), File.ReadAllBytes(files["two.npy"]));
        string[] evaluate = ["--reference", files["mixture.csv"], "-n", "600", "--json"];
        var alone = CommandLine.Run(["evaluate", generator, .. evaluate]).Expect(0).Json;
        Assert.AreEqual(alone.ToJsonString(), Run(files, 2, ["evaluate", generator, .. evaluate]).Expect(0).Json.ToJsonString());
    }

    [TestMethod]
    public void AKilledRankEndsTheJobWhichGoesOnOnFour()
    {
        using var files = new TinyFiles();
        using var process = StartRun(files);
        var rank = Children(process).Single(id => File.ReadAllText($"/proc/{id}/environ").Split('\0').Contains("OMPI_COMM_WORLD_RANK=1"));
        Kill("KILL", rank);
        var result = CommandLine.End(process);
        Assert.AreNotEqual(0, result.Code);
        StringAssert.Contains(result.Error, "process rank 1");
        StringAssert.Contains(result.Error, "go on from the newest state with --resume, on any number of ranks");
        AssertResumes(files, ranks: 4);
    }

    // mpirun's own exit code after Ctrl+C is 1, whatever its ranks say.
    [TestMethod]
    public void AfterCtrlCAllRanksStopAtTheSameStepAndTheRunGoesOnOnOne() => AssertStops("INT", 1);

    [TestMethod]
    [TestCategory("Slow")]
    public void AForwardedSignalStopsAllRanksAndKeepsTheirExitCode() => AssertStops("USR1", ExitCodes.Stopped);

    private static void AssertStops(string signal, int exitCode)
    {
        using var files = new TinyFiles();
        using var process = StartRun(files);
        Kill(signal, process.Id);
        var result = CommandLine.End(process);
        Assert.AreEqual(exitCode, result.Code, result.Output + result.Error);
        // After Ctrl+C mpirun kills what has not ended within a second and may lose its last words; the newest state is there in any case.
        if (exitCode == ExitCodes.Stopped)
            StringAssert.Contains(result.Output, "the state is saved");
        AssertResumes(files, ranks: 1);
    }

    [TestMethod]
    public void AnErrorOfOneRankEndsTheJobAndNamesIt()
    {
        using var files = new TinyFiles();
        string[] one = ["distill", "tiny.json", "-o", "run"], other = ["distill", "absent.json", "-o", "run"];
        var start = Mpirun(files, 1, one);
        var child = CommandLine.Child(files.Folder, other);
        foreach (var word in new[] { ":", "-n", "1", child.FileName }.Concat(child.ArgumentList))
            start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;
        var result = CommandLine.End(process).Expect(ExitCodes.BadInput);
        StringAssert.Contains(result.Error, "onnxdistill (rank 1 of 2): The recipe 'absent.json' does not exist");
    }

    // These end before MPI starts, so the launcher's environment is enough.
    [TestMethod]
    [DataRow("/no/such/libmpi.so", ExitCodes.NotSupported, "Open MPI's library cannot be loaded (tried /no/such/libmpi.so)", "distill", "tiny.json")]
    [DataRow("libc.so.6", ExitCodes.NotSupported, "it is not Open MPI's library (it lacks ompi_mpi_comm_world", "distill", "tiny.json")]
    [DataRow("", ExitCodes.WrongUsage, "mpirun started 2 processes, but 'inspect' works in one", "inspect", "teacher.onnx")]
    public void WhatRanksCannotDoIsExplained(string library, int exitCode, string words, params string[] arguments)
    {
        using var files = new TinyFiles();
        var result = CommandLine.RunChild(files.Folder, arguments, [new("OMPI_COMM_WORLD_SIZE", "2"), new("ONNXDISTILL_MPI_LIBRARY", library)]).Expect(exitCode);
        StringAssert.Contains(result.Error, "onnxdistill (rank 0 of 2): ");
        StringAssert.Contains(result.Error, words);
    }

    [TestMethod]
    public void RanksOnAGpuAreRefused()
    {
        using var files = new TinyFiles();
        var result = Run(files, 2, ["distill", "tiny.json", "--device", "cuda"]).Expect(ExitCodes.WrongUsage);
        StringAssert.Contains(result.Error, "--device: found cuda with 2 ranks, expected cpu");
    }

    // A run without end that has saved a state.
    private static Process StartRun(TinyFiles files)
    {
        var process = Process.Start(Mpirun(files, 2, ["distill", "tiny.json", "-o", "run", "--set", "training.images=1000000000", "--set", "training.stateImages=640"]))!;
        var clock = Stopwatch.StartNew();
        while (!File.Exists(files["run/latest"]))
        {
            Assert.IsLessThan(60, clock.Elapsed.TotalSeconds, "no state was saved within a minute");
            Thread.Sleep(20);
        }
        return process;
    }

    private static void AssertResumes(TinyFiles files, int ranks)
    {
        var state = File.ReadAllText(files["run/latest"]).Trim()["state-".Length..^".odc".Length];
        var seen = (long)Math.Round(decimal.Parse(state, CultureInfo.InvariantCulture) * 1000);
        var images = string.Create(CultureInfo.InvariantCulture, $"training.images={seen + 640}");
        string[] resume = ["distill", files["tiny.json"], "--resume", files["run"], "--set", images, "--json"];
        var resumed = (ranks == 1 ? CommandLine.Run(resume) : Run(files, ranks, resume)).Expect(0).Json;
        Assert.AreEqual(seen + 640, resumed["imagesSeen"]!.GetValue<long>());
        CommandLine.Run("distill", files["tiny.json"], "-o", files["whole"], "--set", images).Expect(0);
        AssertSameLog(files, "whole", "run", (int)((seen + 640 + 159) / 160));
    }

    private static void AssertSameLog(TinyFiles files, string expected, string found, int rows)
    {
        var (a, b) = (Rows(files[expected]), Rows(files[found]));
        Assert.HasCount(rows, a);
        Assert.HasCount(rows, b);
        foreach (var (x, y) in a.Zip(b).SelectMany(r => r.First.Zip(r.Second)))
        {
            // The same float32 terms in another order; twenty steps and more let the difference grow.
            Assert.AreEqual(x, y, 1e-4 * Math.Max(1, Math.Abs(x)), $"{found} of {expected}");
        }
    }

    private static double[][] Rows(string run) =>
        [.. RunComparison.Rows(run).Skip(1).Select(line => line.Split(',').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray())];

    // The time in an event file's name is another one each time.
    private static string[] Names(string folder) =>
        [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Where(n => !n.StartsWith("events.", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static int[] Children(Process process) =>
        [.. File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];

    private static void Kill(string signal, int id)
    {
        using var kill = Process.Start("kill", [$"-{signal}", id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static CommandResult Run(TinyFiles files, int ranks, string[] arguments)
    {
        using var process = Process.Start(Mpirun(files, ranks, arguments))!;
        return CommandLine.End(process);
    }

    private static ProcessStartInfo Mpirun(TinyFiles files, int ranks, string[] arguments)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "mpirun"))))
            Assert.Inconclusive("mpirun is not installed (apt-get install openmpi-bin).");
        var start = CommandLine.Child(files.Folder, arguments, AsRoot);
        string[] command = ["--oversubscribe", "--bind-to", "none", "-n", ranks.ToString(CultureInfo.InvariantCulture), start.FileName, .. start.ArgumentList];
        start.FileName = "mpirun";
        start.ArgumentList.Clear();
        foreach (var word in command)
            start.ArgumentList.Add(word);
        return start;
    }
}
