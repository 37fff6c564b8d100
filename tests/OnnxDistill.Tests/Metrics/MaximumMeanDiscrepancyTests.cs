using OnnxDistill.Data;
using OnnxDistill.Metrics;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Metrics;

[TestClass]
public sealed class MaximumMeanDiscrepancyTests
{
    [TestMethod]
    [DataRow(1, 2)]
    [DataRow(2, 3)]
    [DataRow(7, 1)]
    public void TheFastSumsAreTheDefinition(int leftOver, int dimension)
    {
        var random = new TestRandom(dimension);
        var x = new SampleSet([dimension], random.FloatNormals((64 + leftOver) * dimension));
        var y = new SampleSet([dimension], random.FloatNormals((32 + leftOver) * dimension));
        var expected = MeanKernel(x, x) + MeanKernel(y, y) - 2 * MeanKernel(x, y);

        // The chain of squares loses up to 256 roundings of a number below one.
        Assert.AreEqual(expected, MaximumMeanDiscrepancy.Squared(x, y), 1e-13);
    }

    [TestMethod]
    public void TheOrderOfTheSetsDoesNotMatterAndTheResultIsTheSameEveryTime()
    {
        var random = new TestRandom(9);
        var x = new SampleSet([2], random.FloatNormals(2000));
        var y = new SampleSet([2], random.FloatNormals(3000));
        var first = MaximumMeanDiscrepancy.Squared(x, y);
        Assert.AreEqual(first, MaximumMeanDiscrepancy.Squared(x, y));
        Assert.AreEqual(first, MaximumMeanDiscrepancy.Squared(y, x), 1e-14); // sums in another order
    }

    [TestMethod]
    public void DifferentShapesAreRefused() =>
        Expect.Error<ArgumentException>(
            static () => MaximumMeanDiscrepancy.Squared(new([2], new float[4]), new([1], new float[4])), "2 of 2 values and 4 of 1");

    private static double MeanKernel(SampleSet x, SampleSet y)
    {
        double[] bandwidths = [0.25, 0.5, 1, 2, 4];
        var sum = 0.0;
        for (var i = 0; i < x.Count; i++)
        {
            for (var j = 0; j < y.Count; j++)
            {
                var squared = 0.0;
                for (var d = 0; d < x.SampleSize; d++)
                {
                    squared += Math.Pow((double)x[i][d] - y[j][d], 2);
                }

                sum += bandwidths.Average(b => Math.Exp(-squared / (2 * b * b)));
            }
        }

        return sum / ((double)x.Count * y.Count);
    }
}
