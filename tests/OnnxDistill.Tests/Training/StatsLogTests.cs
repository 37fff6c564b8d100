using OnnxDistill.Graph;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

[TestClass]
public sealed class StatsLogTests
{
    private const string Header = "images_seen,loss,grad_norm\n";

    [TestMethod]
    public void RowsCanBeReadAsTheyAreWritten()
    {
        using var files = new TestFiles();
        using var log = Create(files);
        Assert.AreEqual(Header, Read(files));
        log.Append(64, Row(0.1));
        Assert.AreEqual(Header + "64,0.1,0.2\n", Read(files));
        log.Append(128, new Dictionary<string, double> { ["grad_norm"] = double.NaN });
        Assert.AreEqual(Header + "64,0.1,0.2\n128,,NaN\n", Read(files));
    }

    [TestMethod]
    public void AResumedLogIsThatOfAnUnbrokenRun()
    {
        using var files = new TestFiles();
        using (var log = Create(files))
        {
            log.Append(64, Row(1));
            log.Append(128, Row(2));
            log.Append(192, Row(3));
        }

        File.AppendAllText(files["log.csv"], "256,4");
        using (var log = StatsLog.Resume(files["log.csv"], 128, "loss", "grad_norm"))
        {
            log.Append(192, Row(3));
        }

        Assert.AreEqual(Header + "64,1,2\n128,2,4\n192,3,6\n", Read(files));
    }

    [TestMethod]
    public void ARowThatWasCutOffIsRemoved()
    {
        using var files = new TestFiles();
        files.Write("log.csv", Header + "64,1,2\n128,2.");
        StatsLog.Resume(files["log.csv"], 1000, "loss", "grad_norm").Dispose();
        Assert.AreEqual(Header + "64,1,2\n", Read(files));
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("images_se")]
    public void AMissingOrBarelyBegunLogIsStartedAnew(string text)
    {
        using var files = new TestFiles();
        if (text.Length > 0)
        {
            files.Write("log.csv", text);
        }

        StatsLog.Resume(files["log.csv"], 10, "loss", "grad_norm").Dispose();
        Assert.AreEqual(Header, Read(files));
    }

    [TestMethod]
    public void OtherColumnsAreAnErrorThatLeavesTheFile()
    {
        using var files = new TestFiles();
        files.Write("log.csv", Header + "64,1,2\n");
        Expect.Error<ModelFileException>(() => StatsLog.Resume(files["log.csv"], 0, "loss"), "images_seen, loss, grad_norm");
        Assert.AreEqual(Header + "64,1,2\n", Read(files));
    }

    [TestMethod]
    public void ADamagedRowIsNamed()
    {
        using var files = new TestFiles();
        files.Write("log.csv", Header + "64,1,2\noops,1,2\n");
        Expect.Error<ModelFileException>(() => StatsLog.Resume(files["log.csv"], 100, "loss", "grad_norm"), "line 3");
    }

    [TestMethod]
    public void AnUnknownColumnIsRefused()
    {
        using var files = new TestFiles();
        using var log = Create(files);
        Expect.Error<ArgumentException>(() => log.Append(1, new Dictionary<string, double> { ["lossy"] = 1 }), "lossy");
    }

    private static StatsLog Create(TestFiles files) => StatsLog.Create(files["log.csv"], "loss", "grad_norm");

    private static Dictionary<string, double> Row(double loss) => new() { ["loss"] = loss, ["grad_norm"] = 2 * loss };

    private static string Read(TestFiles files)
    {
        using var stream = new FileStream(files["log.csv"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
