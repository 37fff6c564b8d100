using OnnxDistill.Metrics;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Metrics;

[TestClass]
public sealed class StatisticsAccumulatorTests
{
    [TestMethod]
    public void MeanAndCovarianceOfFourPoints()
    {
        var statistics = ReferenceStatistics.Of(new([2], [1, 0, 3, 0, 1, 4, 3, 8]));
        Assert.AreEqual(4, statistics.Count);
        CollectionAssert.AreEqual(new double[] { 2, 3 }, statistics.Mean);

        // Deviations (-1, -3), (1, -3), (-1, 1), (1, 5): sums of products 4, 4, 44, divided by 3; one rounding each.
        double[] expected = [4 / 3.0, 4 / 3.0, 4 / 3.0, 44 / 3.0];
        for (var i = 0; i < 4; i++)
        {
            Assert.AreEqual(expected[i], statistics.Covariance[i], 1e-14);
        }
    }

    [TestMethod]
    public void ManyBlocksAgreeWithTheTwoPassFormula()
    {
        // Sizes that fill neither blocks, tiles nor vectors.
        const int rows = 1301;
        const int dimension = 307;
        var features = new TestRandom(11).FloatNormals(rows * dimension);
        var accumulator = new StatisticsAccumulator(dimension);
        accumulator.Add(features.AsSpan(0, 3 * dimension));
        accumulator.Add(features.AsSpan(3 * dimension));
        var statistics = accumulator.ToStatistics();
        foreach (var (i, j) in new[] { (0, 0), (0, 306), (306, 0), (5, 260), (256, 257), (306, 306) })
        {
            var meanI = Enumerable.Range(0, rows).Average(r => (double)features[r * dimension + i]);
            var meanJ = Enumerable.Range(0, rows).Average(r => (double)features[r * dimension + j]);
            var sum = Enumerable.Range(0, rows).Sum(r => (features[r * dimension + i] - meanI) * (features[r * dimension + j] - meanJ));

            // A sum of 1301 terms of order one, in another order.
            Assert.AreEqual(meanI, statistics.Mean[i], 1e-14);
            Assert.AreEqual(sum / (rows - 1), statistics.Covariance[i * dimension + j], 1e-13);
        }
    }

    [TestMethod]
    public void ALargeOffsetCostsNoDigits()
    {
        // Exact in float: offset 2^20 plus a multiple of 1/4. The naive sum of squares would lose nine digits here.
        const int rows = 10_000;
        var plain = new TestRandom(2).Uniforms(rows).Select(static u => (float)Math.Floor(u * 16) / 4).ToArray();
        var shifted = Array.ConvertAll(plain, static x => x + (1 << 20));
        var expected = ReferenceStatistics.Of(new([1], plain));
        var actual = ReferenceStatistics.Of(new([1], shifted));
        Assert.AreEqual(expected.Mean[0] + (1 << 20), actual.Mean[0], 1e-9); // one unit in the last place of 1e6 is 1e-10
        Assert.AreEqual(expected.Covariance[0], actual.Covariance[0], 1e-9);
    }

    [TestMethod]
    public void OneSampleHasNoCovariance()
    {
        var accumulator = new StatisticsAccumulator(2);
        accumulator.Add([1, 2]);
        Expect.Error<InvalidOperationException>(() => accumulator.ToStatistics(), "found 1");
        Assert.ThrowsExactly<ArgumentException>(() => accumulator.Add([1, 2, 3]));
    }
}
