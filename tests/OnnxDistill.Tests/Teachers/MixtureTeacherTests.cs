using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Methods;

namespace OnnxDistill.Tests.Teachers;

/// <summary>The exact denoiser against the posterior mean in double.</summary>
[TestClass]
public sealed class MixtureTeacherTests
{
    private static readonly double[] Levels = [0.002, 0.05, 0.3, 1, 5, 80];

    [TestMethod]
    public void OneModeHasAClosedForm()
    {
        var mixture = new GaussianMixture([1], [[2, -1, 0.5]], [0.7]);
        var points = new TestRandom(1).FloatNormals(3 * 20);
        foreach (var sigma in Levels)
        {
            var found = Denoise(mixture, points, sigma);
            for (var i = 0; i < points.Length; i++)
            {
                var expected = ((0.49 * points[i]) + (sigma * sigma * mixture.Mean(0)[i % 3])) / (0.49 + (sigma * sigma));
                Assert.AreEqual(expected, found[i], 1e-6); // float32 of numbers around 1
            }
        }
    }

    [TestMethod]
    public void ManyModesOfAllSizesAndWeights()
    {
        var random = new TestRandom(2);
        var mixture = new GaussianMixture([.. random.Uniforms(60).Select(u => u + 0.1)], [.. Enumerable.Range(0, 60).Select(_ => random.Normals(2).Select(n => 4 * n).ToArray())],
            [.. random.Uniforms(60).Select(u => 0.2 + u)]);
        var points = Array.ConvertAll(random.Normals(2 * 50), n => (float)(4 * n));
        foreach (var sigma in Levels)
            AssertPosteriorMean(mixture, points, sigma);
    }

    /// <summary>Far from every mode, where each density is zero even in double, the nearest mode still decides.</summary>
    [TestMethod]
    public void FarAwayPointsAreFinite()
    {
        var mixture = new GaussianMixture([1, 3], [[-1, 0], [1, 0]], [0.1, 0.2]);
        foreach (var sigma in new[] { 0.002, 0.1, 3 })
        {
            foreach (var far in new[] { 1e3f, 1e6f })
            {
                var found = Denoise(mixture, [far, 0, -far, far, 0, far], sigma);
                Assert.IsTrue(Array.TrueForAll(found, double.IsFinite));
                // The wider mode reaches further: its share is one, up to what cannot be told apart.
                Assert.AreEqual(((0.04 * far) + (sigma * sigma)) / (0.04 + (sigma * sigma)), found[0], 1e-5 * far);
            }
        }
    }

    [TestMethod]
    public void TheCardHasTheDeviationOfTheData()
    {
        var card = MixtureTeacher.Build(new GaussianMixture([1, 3], [[-2, 0], [2, 1]], [0.5, 1])).Card;
        // Means -2, 2 with shares 1/4, 3/4: variance 3; 0, 1: 3/16; within: 1/4 · 1/4 + 3/4 · 1 in each coordinate.
        Assert.AreEqual(Math.Sqrt(((3 + (3 / 16.0)) / 2) + 0.8125), card.SigmaData, 1e-12);
        Assert.AreEqual(80 * card.SigmaData / 0.5, card.SigmaMax, 1e-9);
        Assert.AreEqual(("points", 0, "MIT"), (card.Data, card.Labels, card.Licence));
    }

    private static void AssertPosteriorMean(GaussianMixture mixture, float[] points, double sigma)
    {
        var found = Denoise(mixture, points, sigma);
        var exact = new MixtureDenoiser(mixture);
        for (var i = 0; i < points.Length / 2; i++)
        {
            var expected = exact.Denoise([points[2 * i], points[(2 * i) + 1]], sigma);
            for (var j = 0; j < 2; j++)
                // Exponents reach the hundreds, so float32 shares are good to 1e-5 of means around 10.
                Assert.AreEqual(expected[j], found[(2 * i) + j], 2e-4, $"point {i} at {sigma}");
        }
    }

    private static double[] Denoise(GaussianMixture mixture, float[] points, double sigma)
    {
        using var session = GraphSession.Create(MixtureTeacher.Build(mixture).Model);
        var count = points.Length / mixture.Dimension;
        return session.Run(new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(points, count, mixture.Dimension),
            [Denoiser.Sigma] = TensorData.Of([.. Enumerable.Repeat((float)sigma, count)], count),
        })[Denoiser.Denoised].ToDoubles();
    }
}
