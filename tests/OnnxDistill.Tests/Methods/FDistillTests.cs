using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Methods;

/// <summary>f-distill's normalisations (methods.md 3.7), with densities that are known: on a line, two mixtures as teacher and fake score.</summary>
[TestClass]
public sealed class FDistillTests
{
    private const int Batch = 12, Bins = 4;
    private const double Decay = 0.25;

    private static readonly GaussianMixture Teacher = new([0.6, 0.4], [[-0.9], [0.8]], [0.5, 0.4]);
    private static readonly GaussianMixture Fake = new([1], [[0.3]], [0.7]);

    [TestMethod]
    public void RatiosAreDividedByTheirBinsMeanAndWeightsByTheBatchs()
    {
        // Levels up to 2 in four bins, so that some hold several samples and none or one may be empty.
        var law = new JsonObject { ["kind"] = "karras-uniform", ["min"] = 0.1, ["max"] = 2, ["rho"] = 1.5 };
        var method = DistillationMethods.Create("f-distill", new()
        {
            ["divergence"] = "forward-kl",
            ["ratio"] = "exact",
            ["ganWeight"] = 0,
            ["bins"] = Bins,
            ["binDecay"] = Decay,
            ["studentNoise"] = law,
        });
        var samples = new TestRandom(5).FloatNormals(Batch);
        var (teacher, teacherFeatures) = MixtureTeacher.Build(Teacher).AtBatch(Batch, [MixtureTeacher.LogDensity]);
        var (fake, fakeFeatures) = MixtureTeacher.Build(Fake).AtBatch(Batch, [MixtureTeacher.LogDensity]);
        var task = new DistillationTask(Batch, [1], 0.5, 1, 0)
        {
            Features = new Dictionary<string, IReadOnlyList<Feature>> { [Roles.Teacher] = teacherFeatures, [Roles.FakeScore] = fakeFeatures },
        };
        var run = PhaseRun.Of(method.Phases.Single(p => p.Name == Roles.Student), task, teacher,
            new Dictionary<string, Network> { [Roles.Student] = TestNetworks.Sample(samples, Batch), [Roles.FakeScore] = fake });

        var (low, high) = (Math.Pow(0.1, 1 / 1.5), Math.Pow(2, 1 / 1.5));
        var levels = run.Feeds["sigma_draw"].ToDoubles().Select(u => Math.Pow(low + (u * (high - low)), 1.5)).ToArray();
        var noisy = samples.Select((x, i) => x + (levels[i] * run.Feeds["epsilon"].ToDoubles()[i])).ToArray();
        var ratio = noisy.Select((x, i) => Math.Clamp(Density(Teacher, x, levels[i]) / Density(Fake, x, levels[i]), 0.1, 20)).ToArray();
        var bin = levels.Select(s => (int)((s - 0.1) / (2 - 0.1) * Bins)).ToArray();
        var means = Enumerable.Range(0, Bins).Select(k => bin.Contains(k) ? (Decay * 1) + ((1 - Decay) * ratio.Where((_, i) => bin[i] == k).Average()) : 1).ToArray();
        Assert.IsGreaterThan(2, bin.Distinct().Count(), "the draw has to reach several bins, or the test shows little");
        // float32.
        var next = run.Outputs[CarriedValue.OutputName("bins")].ToDoubles();
        for (var k = 0; k < Bins; k++)
            Assert.AreEqual(means[k], next[k], 1e-5 * means[k], $"bin {k}");

        // Forward KL: h = rho.
        var h = ratio.Select((r, i) => r / (means[bin[i]] + 1e-6)).ToArray();
        var weights = h.Select(v => v / (h.Average() + 1e-6)).ToArray();
        var gradient = run.Gradient(Roles.Student, TestNetworks.SampleParameter);
        for (var i = 0; i < Batch; i++)
        {
            var (r, f) = (new MixtureDenoiser(Teacher).Denoise([noisy[i]], levels[i])[0], new MixtureDenoiser(Fake).Denoise([noisy[i]], levels[i])[0]);
            var expected = weights[i] * (f - r) / (Math.Abs(samples[i] - r) + 1e-6) / Batch;
            Assert.AreEqual(expected, gradient[i], 2e-5 * Math.Max(1, Math.Abs(expected)), $"sample {i}");
        }
    }

    private static double Density(GaussianMixture mixture, double x, double sigma) => Enumerable.Range(0, mixture.ModeCount).Sum(k =>
    {
        var variance = (mixture.Stds[k] * mixture.Stds[k]) + (sigma * sigma);
        return mixture.Weights[k] * Math.Exp(-Math.Pow(x - mixture.Mean(k)[0], 2) / (2 * variance)) / Math.Sqrt(2 * Math.PI * variance);
    });
}
