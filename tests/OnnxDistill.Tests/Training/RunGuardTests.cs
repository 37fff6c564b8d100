using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>What protects a run folder: its lock, the record of where its state was made, states that a full disk leaves whole.</summary>
[TestClass]
public sealed class RunGuardTests
{
    [TestMethod]
    public void ASecondRunInTheSameFolderIsRefusedAndNamesTheHolder()
    {
        using var files = new TestFiles();
        using (var held = RunFolder.Create(files["run"]))
        {
            held.WriteState(1000, static stream => stream.WriteByte(1));
            Expect.Error<RunFolderException>(() => RunFolder.Resume(files["run"]), $"process {Environment.ProcessId}", "Nothing was changed");
            RunFolder.Open(files["run"]).Dispose(); // who only looks is not kept out
        }
        Assert.IsFalse(File.Exists(files["run/run.pid"]));
        RunFolder.Resume(files["run"]).Dispose();
    }

    [TestMethod]
    public void OtherThreadsAndLanesAreToldOnResumeAndRefusedWhenItHasToBeExact()
    {
        using var files = new TestFiles();
        Trainer.Run(Toys.Program(files, "sid", "training.images=32"), files["run"], false, new SilentObserver(), CancellationToken.None);
        var other = Toys.Program(files, "sid", "training.threads=2", "training.lanes=2");
        Expect.Error<RecipeException>(() => Trainer.Run(other, files["run"], true, new SilentObserver(), CancellationToken.None, exact: true),
            "bit for bit", "lanes: the state was made with '1', here it is '2'");
        var same = Trainer.Run(Toys.Program(files, "sid", "training.images=40"), files["run"], true, new SilentObserver(), CancellationToken.None, exact: true);
        Assert.IsEmpty(same.Warnings);
        var result = Trainer.Run(Toys.Program(files, "sid", "training.threads=2"), files["run"], true, new SilentObserver(), CancellationToken.None);
        StringAssert.Contains(result.Warnings.Single(), "threadsPerSession: the state was made with '1', here it is '2'");
        StringAssert.Contains(File.ReadAllText(files["run/incidents.csv"]), "threadsPerSession");
    }

    /// <summary>/dev/full takes a file's place: it can be opened, and every write says that no space is left.</summary>
    [TestMethod]
    [OSCondition(OperatingSystems.Linux, IgnoreMessage = "/dev/full is Linux'.")]
    [DataRow("state-000000.048.odc.odtmp")]
    [DataRow("latest.odtmp")]
    [DataRow("samples-000000.048.png.odtmp")]
    public void AFullDiskEndsTheRunWithAWholeStateThatLeadsToTheSameEnd(string full)
    {
        using var files = new TestFiles();
        string[] settings = ["training.stateImages=16", "training.snapshotImages=24"];
        Trainer.Run(Toys.Program(files, "sid", settings), files["unbroken"], false, new SilentObserver(), CancellationToken.None);
        Expect.Error<DiskFullException>(() => Trainer.Run(Toys.Program(files, "sid", settings), files["run"], false, new FillDisk(files[$"run/{full}"]), CancellationToken.None),
            "disk is full", "Free there", "state-000000.032.odc", "--resume");
        File.Delete(files[$"run/{full}"]);
        Trainer.Run(Toys.Program(files, "sid", settings), files["run"], true, new SilentObserver(), CancellationToken.None);
        RunComparison.AssertSame(files["unbroken"], files["run"]);
    }

    private sealed class FillDisk(string path) : IRunObserver
    {
        public void Stepped(long imagesSeen, long images)
        {
            if (imagesSeen == 40)
                File.CreateSymbolicLink(path, "/dev/full");
        }

        public void Progress(RunProgress progress)
        {
        }

        public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics)
        {
        }

        public void Note(string text)
        {
        }
    }
}
