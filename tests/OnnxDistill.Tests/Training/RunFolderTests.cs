using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

[TestClass]
public sealed class RunFolderTests
{
    [TestMethod]
    public void FilesAreNamedByThousandsOfImages()
    {
        using var files = new TestFiles();
        using var run = RunFolder.Create(files["run"]);
        Assert.AreEqual("samples-000128.png", Path.GetFileName(run.SamplesPath(128_999)));
        Assert.AreEqual("generator-000000.onnx", Path.GetFileName(run.GeneratorPath(0)));
        Assert.AreEqual("state-200000.odc", Path.GetFileName(run.StatePath(200_000_000)));
        Assert.AreEqual("options.json", Path.GetFileName(run.OptionsPath));
    }

    [TestMethod]
    public void ShortIntervalsAddDecimalsAndNamesSortByAge()
    {
        long[] counts = [0, 64, 960, 1024, 9984, 10_048, 128_000, 128_064, 1_000_000, 1_000_064];
        var names = counts.Select(static count => KimgName.Format(count, 64) + ".png").ToArray();
        Assert.AreEqual("000128.064.png", names[7]);
        CollectionAssert.AreEqual(names.Order(StringComparer.Ordinal).ToArray(), names);
        CollectionAssert.AllItemsAreUnique(names);
    }

    [TestMethod]
    [DataRow("options.json")]
    [DataRow("log.csv")]
    [DataRow("metrics.csv")]
    [DataRow("latest")]
    [DataRow("state-000010.odc")]
    [DataRow("events.out.tfevents.1700000000.000.onnxdistill")]
    public void ARunIsNotOverwritten(string name)
    {
        using var files = new TestFiles();
        files.Write(name, "kept");
        Expect.Error<RunFolderException>(() => RunFolder.Create(files.Folder), name, "--resume");
        Assert.AreEqual("kept", File.ReadAllText(files[name]));
    }

    [TestMethod]
    public void AFolderWithOtherFilesIsFine()
    {
        using var files = new TestFiles();
        files.Write("notes.txt", "a");
        files.Write("state-of-the-art.odc", "no state by its name");
        RunFolder.Create(files.Folder).Dispose();
        Expect.Error<RunFolderException>(() => RunFolder.Create(files["notes.txt"]), "is a file");
    }

    [TestMethod]
    public void TheLastStatesAreKeptAndTheLatestIsResumed()
    {
        using var files = new TestFiles();
        var options = new RunFolderOptions { KeepStates = 2, IntervalImages = 500 };
        using var run = RunFolder.Create(files.Folder, options);
        foreach (var images in new[] { 500L, 1000, 9500, 10_000 })
        {
            run.WriteState(images, stream => stream.WriteByte((byte)(images / 500)));
        }

        CollectionAssert.AreEquivalent(new[] { "latest", "state-000009.500.odc", "state-000010.000.odc" }, Names(files));
        run.Dispose();
        using var resumed = RunFolder.Resume(files.Folder, options);
        var latest = resumed.LatestStatePath();
        CollectionAssert.AreEqual(new byte[] { 20 }, File.ReadAllBytes(latest));
    }

    [TestMethod]
    public void AWriteThatFailsLeavesTheStateBefore()
    {
        using var files = new TestFiles();
        using var run = RunFolder.Create(files.Folder, new RunFolderOptions { KeepStates = 1 });
        run.WriteState(1000, static stream => stream.WriteByte(1));
        Assert.ThrowsExactly<IOException>(() => run.WriteState(2000, static stream =>
        {
            stream.WriteByte(2);
            throw new IOException("disk full");
        }));
        CollectionAssert.AreEquivalent(new[] { "latest", "state-000001.odc" }, Names(files));
        Assert.AreEqual(run.StatePath(1000), run.LatestStatePath());
    }

    [TestMethod]
    public void LeftoversOfACrashAreClearedOnResume()
    {
        using var files = new TestFiles();
        WriteFirstState(files);
        files.Write("state-000002.odc" + AtomicFile.TemporarySuffix, "half");
        files.Write(".generator-000002.onnx.0123456789abcdef0123456789abcdef.tmp", "half");
        RunFolder.Resume(files.Folder).Dispose();
        CollectionAssert.AreEquivalent(new[] { "latest", "state-000001.odc" }, Names(files));
    }

    [TestMethod]
    public void WithoutAStateThereIsNothingToResume()
    {
        using var files = new TestFiles();
        Expect.Error<RunFolderException>(() => RunFolder.Resume(files["none"]), "no folder");
        Expect.Error<RunFolderException>(() => RunFolder.Resume(files.Folder), "no state");
    }

    [TestMethod]
    [DataRow("state-000009.odc")]
    [DataRow("../elsewhere/state-000001.odc")]
    public void ALatestThatPointsNowhereIsNamedWithTheStatesThatAreThere(string name)
    {
        using var files = new TestFiles();
        WriteFirstState(files);
        files.Write("latest", name);
        Expect.Error<RunFolderException>(() => RunFolder.Resume(files.Folder), name, "state-000001.odc");
    }

    private static void WriteFirstState(TestFiles files)
    {
        using var run = RunFolder.Create(files.Folder);
        run.WriteState(1000, static stream => stream.WriteByte(1));
    }

    private static string[] Names(TestFiles files) =>
        [.. Directory.GetFiles(files.Folder).Select(static path => Path.GetFileName(path)).Where(static name => name is not (RunLock.FileName or RunLock.HolderName))];
}
