using OnnxDistill.Data;
using OnnxDistill.Graph;

namespace OnnxDistill.Tests.Data;

[TestClass]
public sealed class SampleSetTests
{
    [TestMethod]
    public void SamplesAreRows()
    {
        var set = new SampleSet([2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.AreEqual(2, set.Count);
        CollectionAssert.AreEqual(new float[] { 5, 6, 7, 8 }, set[1].ToArray());
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, set.Take(1).Data);
        Assert.AreSame(set, set.Take(5));
    }

    [TestMethod]
    public void HalfASampleIsRefused() => Assert.ThrowsExactly<ArgumentException>(static () => new SampleSet([2], new float[3]));

    [TestMethod]
    public void PointsComeBackFromCsvBitForBit()
    {
        using var files = new TestFiles();
        var points = new SampleSet([2], [.. new TestRandom(1).FloatNormals(200), float.Epsilon, float.MaxValue, -0f, 1 / 3f]);
        SampleSetCsv.Write(files["points.csv"], points);
        var read = SampleSetCsv.Read(files["points.csv"]);
        Assert.AreEqual(2, read.SampleSize);
        CollectionAssert.AreEqual(
            Array.ConvertAll(points.Data, BitConverter.SingleToInt32Bits), Array.ConvertAll(read.Data, BitConverter.SingleToInt32Bits));
        StringAssert.StartsWith(File.ReadAllText(files["points.csv"]), "x_0,x_1\n");
    }

    [TestMethod]
    public void PointsOfOtherProgramsAreRead()
    {
        using var files = new TestFiles();
        var read = SampleSetCsv.Read(files.Write("a.csv", "x; y\r\n1; -2\r\n.5; 3e3\r\n"));
        CollectionAssert.AreEqual(new float[] { 1, -2, 0.5f, 3000 }, read.Data);
    }

    [TestMethod]
    [DataRow("", "empty")]
    [DataRow("x,y\n", "no rows")]
    [DataRow("1,2\n3,4\n", "header row")]
    [DataRow("x,y\n1,2\n3\n", "line 3 has 1 cells, the header has 2")]
    [DataRow("x,y\n1,2\n3,four\n", "line 3, column 'y': 'four'")]
    public void BadCsvIsNamed(string text, string inMessage)
    {
        using var files = new TestFiles();
        var path = files.Write("bad.csv", text);
        Expect.Error<ModelFileException>(() => SampleSetCsv.Read(path), inMessage);
    }
}
