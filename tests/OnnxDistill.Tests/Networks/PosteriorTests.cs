using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Networks.Posteriors;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Networks;

/// <summary>Posteriors over a latent: their densities against formulas in double, and against the integral that every density has.</summary>
[TestClass]
public sealed class PosteriorTests
{
    private static readonly PosteriorOptions Small = new() { Hidden = [6, 5], UNet = new() { Channels = 4, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [] }, Flow = new() { Layers = 3, Hidden = [12, 10], Bins = 5, Bound = 3 } };

    [TestMethod]
    [DataRow(PosteriorScaling.Edm)]
    [DataRow(PosteriorScaling.None)]
    public void TheGaussianOfPointsIsTheFormula(PosteriorScaling scaling)
    {
        const int batch = 4, latent = 3;
        const double sigmaData = 0.8;
        var network = Posterior.Build(Small with { Scaling = scaling }, new PosteriorPlace(batch, [2], [latent], sigmaData, Labels: 0));
        var weights = network.Parameters.ToDictionary(p => p.Name, p => p.Constant!.ToDoubles()); // a parameter is an initializer
        double[] Layer(string name, double[] inputs, bool activate) => [.. weights[$"{name}.bias"].Select((c, j) =>
        {
            var sum = c + inputs.Select((v, i) => v * weights[$"{name}.weight"][(j * inputs.Length) + i]).Sum();
            return activate ? sum / (1 + Math.Exp(-sum)) : sum;
        })];
        var feeds = Feeds(network, new TestRandom(1), [0.05f, 0.4f, 1.5f, 20]);
        var found = Density(network, feeds);
        for (var n = 0; n < batch; n++)
        {
            double sigma = feeds[Posterior.Sigma].ToDoubles()[n];
            var (x, z) = (feeds[Posterior.X].ToDoubles()[(2 * n)..((2 * n) + 2)], feeds[Posterior.Latent].ToDoubles()[(latent * n)..(latent * (n + 1))]);
            var isScaled = scaling == PosteriorScaling.Edm;
            var cIn = isScaled ? 1 / Math.Sqrt((sigma * sigma) + (sigmaData * sigmaData)) : 1;
            var noise = isScaled ? Math.Log(sigma) / 4 : sigma;
            var output = Layer("output", Layer("hidden.1", Layer("hidden.0", [.. x.Select(v => v * cIn), noise, noise], true), true), false);
            var expected = Enumerable.Range(0, latent).Sum(i =>
            {
                var deviation = sigma * cIn * Math.Log(1 + Math.Exp(output[latent + i] + (isScaled ? Math.Log(Math.E - 1) : 0)));
                return (-0.5 * Math.Pow((z[i] - output[i]) / deviation, 2)) - Math.Log(deviation) - (0.5 * Math.Log(2 * Math.PI));
            });
            Assert.AreEqual(expected, found[n], 2e-6 * Math.Max(1, Math.Abs(expected))); // float32, the error of a quotient squared
        }
    }

    /// <summary>A fresh U-Net gives next to nothing (its last layer starts at 1e-5), so that the deviation is that of a linear student.</summary>
    [TestMethod]
    public void AFreshPosteriorOfImagesIsThatOfALinearStudent()
    {
        var network = Posterior.Build(Small, new PosteriorPlace(3, [1, 4, 4], [1, 4, 4], SigmaData: 0.5, Labels: 2));
        var feeds = Feeds(network, new TestRandom(2), [0.2f, 1, 5]);
        var found = Density(network, feeds);
        for (var n = 0; n < 3; n++)
        {
            double sigma = feeds[Posterior.Sigma].ToDoubles()[n];
            var variance = sigma * sigma / ((sigma * sigma) + 0.25);
            var expected = feeds[Posterior.Latent].ToDoubles()[(16 * n)..(16 * (n + 1))].Sum(z => (-z * z / (2 * variance)) - (0.5 * Math.Log(2 * Math.PI * variance)));
            Assert.AreEqual(expected, found[n], 1e-3 * Math.Abs(expected)); // what the last layer's 1e-5 leaves
        }
    }

    [TestMethod]
    [DataRow(PosteriorKind.Gaussian, 2, 1)]
    [DataRow(PosteriorKind.Flow, 2, 1)]
    [DataRow(PosteriorKind.Flow, 1, 3)]
    public void TheDensityIntegratesToOne(PosteriorKind kind, int latent, int dimension)
    {
        // The trapezoidal rule to the far tails (a flow may stretch its Gaussian); a flow's density has kinks at its knots, which cost the square of the step.
        var (end, side) = latent == 1 ? (60.0, 24001) : (15.0, 501);
        var step = 2 * end / (side - 1);
        var count = (int)Math.Pow(side, latent);
        var network = Posterior.Build(Small with { Kind = kind }, new PosteriorPlace(count, [dimension], [latent], SigmaData: 1, Labels: 0));
        var random = new TestRandom(3);
        var feeds = Randomized(network, Feeds(network, random, [.. Enumerable.Repeat(0.6f, count)]), random, 0.3);
        float[] point = random.FloatNormals(dimension);
        foreach (var name in feeds.Keys.Where(n => n is Posterior.X or Posterior.FlowX).ToList())
            feeds[name] = TensorData.Of([.. Enumerable.Range(0, count).SelectMany(_ => point)], count, dimension);
        feeds[Posterior.Latent] = TensorData.Of([.. Enumerable.Range(0, count).SelectMany(k => Enumerable.Range(0, latent)
            .Select(axis => (float)(-end + (step * (axis == 0 ? k % side : k / side)))))], count, latent);
        Assert.AreEqual(1, Density(network, feeds).Sum(Math.Exp) * Math.Pow(step, latent), 1e-3);
    }

    [TestMethod]
    public void AnImagesDensityOverALatentOfAnotherShapeIntegratesToOne()
    {
        const int count = 401;
        var network = Posterior.Build(Small, new PosteriorPlace(count, [1, 4, 4], [1], SigmaData: 0.5, Labels: 0));
        var random = new TestRandom(4);
        var feeds = Feeds(network, random, [.. Enumerable.Repeat(0.7f, count)]);
        var image = random.FloatNormals(16);
        feeds[Posterior.X] = TensorData.Of([.. Enumerable.Range(0, count).SelectMany(_ => image)], count, 1, 4, 4);
        feeds[Posterior.Latent] = TensorData.Of([.. Enumerable.Range(0, count).Select(k => -10 + (k * 0.05f))], count, 1);
        Assert.AreEqual(1, Density(network, feeds).Sum(Math.Exp) * 0.05, 1e-4); // a Gaussian on a fine grid; float32
    }

    [TestMethod]
    [DataRow(PosteriorKind.Gaussian, new long[] { 2 }, 0)]
    [DataRow(PosteriorKind.Gaussian, new long[] { 2, 4, 4 }, 3)]
    [DataRow(PosteriorKind.Flow, new long[] { 2 }, 3)]
    public void GradientsAreThoseOfTheDensity(PosteriorKind kind, long[] dataShape, int labels)
    {
        var network = Posterior.Build(Small with { Kind = kind }, new PosteriorPlace(5, dataShape, dataShape, SigmaData: 0.9, labels));
        var feeds = Feeds(network, new TestRandom(5), [0.3f, 0.5f, 0.8f, 1, 2]);
        var report = GradientCheck.Run(network.Model, feeds);
        Assert.IsFalse(report.IsFlat);
        Assert.IsTrue(report.Passed, string.Join('\n', report.Rows.Where(r => !r.Passed)));
        foreach (var input in network.Model.Graph.Inputs.Where(i => i.Type == ElementType.Float32))
            Assert.AreNotEqual(0, report.Rows.Single(r => r.Name == input.Name).Analytic, input.Name);
    }

    [TestMethod]
    public void AFlowIsRefusedForImages() => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(
        () => Posterior.Build(Small with { Kind = PosteriorKind.Flow }, new PosteriorPlace(2, [1, 4, 4], [1, 4, 4], 0.5, 0))).Message, "gaussian");

    private static double[] Density(Network network, Dictionary<string, TensorData> feeds)
    {
        var model = network.Model;
        var declared = feeds.Keys.Where(name => !model.Graph.Inputs.Exists(i => i.Name == name)).ToList();
        if (declared.Count > 0)
            model = BoundNetworks.Bound(network, declared);
        using var session = GraphSession.Create(model);
        return session.Run(feeds)[Posterior.LogDensity].ToDoubles();
    }

    private static Dictionary<string, TensorData> Feeds(Network network, TestRandom random, float[] sigma) => network.Model.Graph.Inputs.ToDictionary(i => i.Name, i =>
    {
        long[] dims = [.. i.Shape.Select(d => d.Size)];
        return i.Name switch
        {
            Posterior.Sigma => TensorData.Of(sigma, sigma.Length),
            Posterior.Label => TensorData.Of([.. Enumerable.Range(0, sigma.Length).Select(n => (long)(n % 2))], sigma.Length),
            _ => TensorData.Of(random.FloatNormals((int)i.Shape.ElementCount), dims),
        };
    });

    // Every parameter moved by normal numbers: flows start with linear maps that do nothing.
    private static Dictionary<string, TensorData> Randomized(Network network, Dictionary<string, TensorData> feeds, TestRandom random, double size)
    {
        foreach (var p in network.Parameters)
            feeds[p.Name] = BoundNetworks.Moved(p.Constant!, random, size); // a parameter is an initializer
        return feeds;
    }
}
