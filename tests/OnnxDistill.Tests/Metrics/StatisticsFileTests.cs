using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Metrics;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Metrics;

[TestClass]
public sealed class StatisticsFileTests
{
    [TestMethod]
    public void WhatIsWrittenIsReadBackToTheBit()
    {
        using var files = new TestFiles();
        StatisticsFile.Write(files["sub/s.npz"], new ReferenceStatistics(12345678901, [0.1, Math.PI], [1, 1 / 3.0, 1 / 3.0, 2]));
        Assert.IsTrue(StatisticsFile.IsOne(files["sub/s.npz"]));
        var read = StatisticsFile.Read(files["sub/s.npz"]);
        Assert.AreEqual(12345678901, read.Count);
        CollectionAssert.AreEqual(new[] { 0.1, Math.PI }, read.Mean);
        CollectionAssert.AreEqual(new[] { 1, 1 / 3.0, 1 / 3.0, 2 }, read.Covariance);
    }

    /// <summary>As other tools publish them: without a count, in float32 too, with more arrays beside them.</summary>
    [TestMethod]
    public void PublishedStatisticsAreRead()
    {
        using var files = new TestFiles();
        NpzFile.Write(files["s.npz"], [new("arr_0", TensorData.Of([1f], 1)), new("sigma", TensorData.Of([4f], 1, 1)), new("mu", TensorData.Of([0.5], 1))]);
        var read = StatisticsFile.Read(files["s.npz"]);
        Assert.AreEqual((0L, 0.5, 4.0), (read.Count, read.Mean[0], read.Covariance[0]));
    }

    [TestMethod]
    public void OtherFilesAreNotTakenForStatistics()
    {
        using var files = new TestFiles();
        NpzFile.Write(files["images.npz"], [new("images", TensorData.Of([1f], 1))]);
        Assert.IsFalse(StatisticsFile.IsOne(files["images.npz"]));
        Assert.IsFalse(StatisticsFile.IsOne(files.Write("text", "hello")));
        Assert.IsFalse(StatisticsFile.IsOne(files.Folder));
        Assert.IsFalse(StatisticsFile.IsOne(files["none"]));
        Expect.Error<ModelFileException>(() => StatisticsFile.Read(files["images.npz"]), "images.npz", "holds images", "'mu'", "'sigma'");
    }

    [TestMethod]
    public void NumbersThatAreNoCovarianceAreRefused()
    {
        using var files = new TestFiles();
        void Refused(TensorData mean, TensorData covariance, params string[] words)
        {
            NpzFile.Write(files["s.npz"], [new("mu", mean), new("sigma", covariance)]);
            Expect.Error<ModelFileException>(() => StatisticsFile.Read(files["s.npz"]), [.. words, "s.npz"]);
        }
        Refused(TensorData.Of([0.0, 0], 2), TensorData.Of([1.0, 2, 3], 3, 1), "Float64[2]", "Float64[3, 1]", "[d, d]");
        Refused(TensorData.Of([0L], 1), TensorData.Of([1.0], 1, 1), "Int64[1]");
        Refused(TensorData.Of([0.0, double.NaN], 2), TensorData.Of([1.0, 0, 0, 1], 2, 2), "not finite");
        Refused(TensorData.Of([0.0, 0], 2), TensorData.Of([1.0, 0.5, 0.6, 1], 2, 2), "no covariance", "[1, 0] is 0.6", "[0, 1] is 0.5");
    }
}
