using OnnxDistill.Runtime.Noise;
using Gauss = MathNet.Numerics.Distributions.Normal;

namespace OnnxDistill.Tests.Runtime.Noise;

/// <summary>A million draws against what theory says; every bound is five standard deviations of the estimate, so chance fails one in 10^6.</summary>
[TestClass]
public sealed class NoiseStatisticsTests
{
    private const int Count = 1_000_000;
    private static readonly double Five = 5 / Math.Sqrt(Count);

    [TestMethod]
    public void NormalsHaveTheMomentsOfAGaussian()
    {
        var x = Normals(1, StreamId.Latent, 0);
        Assert.AreEqual(0, x.Average(), Five);
        // Var(x^2) = 2, Var(x^3) = 15, Var(x^4) = 96.
        Assert.AreEqual(1, x.Average(v => v * v), Five * Math.Sqrt(2));
        Assert.AreEqual(0, x.Average(v => v * v * v), Five * Math.Sqrt(15));
        Assert.AreEqual(3, x.Average(v => v * v * v * v), Five * Math.Sqrt(96));
    }

    [TestMethod]
    public void NormalsFollowTheCumulativeDistribution()
    {
        var x = Normals(2, StreamId.Latent, 0);
        Array.Sort(x);
        var distance = 0.0;
        for (var i = 0; i < Count; i += 10)
            distance = Math.Max(distance, Math.Abs(Gauss.CDF(0, 1, x[i]) - ((i + 0.5) / Count)));
        // Kolmogorov: P(sqrt(n) D > 2.6) = 2 exp(-2 * 2.6^2) = 3e-6.
        Assert.IsLessThan(2.6, distance * Math.Sqrt(Count));
    }

    [TestMethod]
    public void NeighboursStreamsStepsAndSeedsAreUncorrelated()
    {
        var x = Normals(3, StreamId.Latent, 0);
        // 8 separates cosine and sine of a pair, 16 the pairs of a block, 32 the groups.
        foreach (var lag in new[] { 1, 2, 7, 8, 16, 24, 32, 1024 })
        {
            var sum = (Product: 0.0, Squares: 0.0);
            for (var i = 0; i + lag < Count; i++)
                sum = (sum.Product + (x[i] * x[i + lag]), sum.Squares + (((x[i] * x[i]) - 1) * ((x[i + lag] * x[i + lag]) - 1)));
            Assert.AreEqual(0, sum.Product / (Count - lag), Five, $"lag {lag}");
            // Squares catch what a sign hides; their product has variance 4.
            Assert.AreEqual(0, sum.Squares / (Count - lag), 2 * Five, $"squares at lag {lag}");
        }
        foreach (var other in new[] { Normals(4, StreamId.Latent, 0), Normals(3, StreamId.Noise, 0), Normals(3, StreamId.Latent, 1), Normals(3, StreamId.Latent, 1L << 32) })
            Assert.AreEqual(0, x.Zip(other, (a, b) => a * b).Average(), Five);
    }

    [TestMethod]
    public void TailsReachFiveSigma()
    {
        var stream = new NoiseStream(5, StreamId.Latent);
        var chunk = new float[1 << 20];
        var (over4, over5, draws) = (0L, 0L, 0L);
        for (var step = 0; step < 32; step++, draws += chunk.Length)
        {
            stream.FillNormal(chunk, step);
            foreach (var x in chunk)
            {
                over4 += MathF.Abs(x) > 4 ? 1 : 0;
                over5 += MathF.Abs(x) > 5 ? 1 : 0;
            }
        }
        Poisson(2 * Gauss.CDF(0, 1, -4) * draws, over4);
        Poisson(2 * Gauss.CDF(0, 1, -5) * draws, over5);

        static void Poisson(double expected, long found) => Assert.AreEqual(expected, found, 4 * Math.Sqrt(expected));
    }

    [TestMethod]
    public void UniformsAreUniformBelowOne()
    {
        var stream = new NoiseStream(6, StreamId.NoiseLevel);
        var x = new float[Count];
        stream.FillUniform(x, 0);
        Assert.IsTrue(Array.TrueForAll(x, v => v is >= 0 and < 1));
        Assert.AreEqual(0.5, x.Average(v => (double)v), Five * Math.Sqrt(1.0 / 12));
        Assert.AreEqual(1.0 / 3, x.Average(v => (double)v * v), Five * Math.Sqrt((1.0 / 5) - (1.0 / 9)));
        ChiSquared(x.GroupBy(v => (int)(v * 64)).Select(g => g.Count()), 64);
    }

    [TestMethod]
    public void IntegersAreUniformBelowTheBound()
    {
        var x = new long[Count];
        new NoiseStream(7, StreamId.Labels).FillIntegers(x, 10, 0);
        Assert.IsTrue(Array.TrueForAll(x, v => v is >= 0 and < 10));
        ChiSquared(x.GroupBy(v => v).Select(g => g.Count()), 10);
        new NoiseStream(7, StreamId.Labels).FillIntegers(x, long.MaxValue, 0);
        Assert.AreEqual(0.5, x.Average(v => v / (double)long.MaxValue), Five * Math.Sqrt(1.0 / 12));
    }

    private static void ChiSquared(IEnumerable<int> counts, int bins)
    {
        var expected = (double)Count / bins;
        var statistic = counts.Sum(c => (c - expected) * (c - expected) / expected);
        // Chi-squared with k degrees has mean k and variance 2 k.
        Assert.AreEqual(bins - 1, statistic, 5 * Math.Sqrt(2.0 * (bins - 1)));
    }

    private static double[] Normals(long seed, StreamId id, long step)
    {
        var x = new float[Count];
        new NoiseStream(seed, id).FillNormal(x, step);
        return Array.ConvertAll(x, v => (double)v);
    }
}
