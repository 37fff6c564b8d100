using OnnxDistill.Cli;

namespace OnnxDistill.Tests.Cli;

[TestClass]
public sealed class SparklineTests
{
    [TestMethod]
    public void TheCurveReachesFromTheSmallestToTheLargest()
    {
        Assert.AreEqual("▁▂▃▄▅▆▇█", Sparkline.Draw([0, 1, 2, 3, 4, 5, 6, 7], 20));
        Assert.AreEqual("█▁█", Sparkline.Draw([3, -2, 3], 20));
        Assert.AreEqual("_#", Sparkline.Draw([0, 1], 20, unicode: false));
    }

    [TestMethod]
    public void NeighboursAreAveragedWhereThereAreMoreThanCharacters()
    {
        Assert.AreEqual("▁█", Sparkline.Draw([0, 2, 8, 10], 2));
        Assert.AreEqual(48, Sparkline.Draw([.. Enumerable.Range(0, 10_007).Select(i => (double)i)], 48).Length);
    }

    [TestMethod]
    public void NothingEqualNumbersAndNumbersThatAreNotFiniteHaveTheirPicture()
    {
        Assert.AreEqual("", Sparkline.Draw([], 20));
        Assert.AreEqual("", Sparkline.Draw([1], 0));
        Assert.AreEqual("▁▁", Sparkline.Draw([5, 5], 20));
        Assert.AreEqual("▁!█", Sparkline.Draw([0, double.NaN, 1], 20));
        Assert.AreEqual("!!", Sparkline.Draw([double.NaN, double.PositiveInfinity], 20));
    }
}
