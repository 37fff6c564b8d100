using System.Text.Json.Nodes;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>What DMD adds to the distribution-matching term: the regression on pairs, and a fake-score loss that is a mean.</summary>
[TestClass]
public sealed class DmdTests
{
    private const int Batch = 6;

    private static readonly double SigmaData = MixtureTeacher.Card(Toys.TwoModes, "").SigmaData;
    private static readonly DistillationTask Task = new(Batch, [2], SigmaData, SigmaInit: 1, Labels: 0);
    private static readonly LinearDenoiser Fake = new([0.7, -0.2, 0.4, 0.5], [0.1, -0.3]);
    private static readonly float[] Samples = new TestRandom(9).FloatNormals(Batch * 2);

    /// <summary>L_reg = mean (G(z_ref) - y_ref)², and the gradient of a sample that every latent leads to is 2 lambda (x - y) / (batch d).</summary>
    [TestMethod]
    [DataRow(0.25)]
    [DataRow(2.0)]
    public void TheRegressionPullsTheStudentToTheTeachersSamples(double weight)
    {
        var (with, without) = (Student(weight), Student(0));
        var y = with.Feeds["pair_y"].ToDoubles();
        var (gradient, matching) = (with.Gradient(Roles.Student, TestNetworks.SampleParameter), without.Gradient(Roles.Student, TestNetworks.SampleParameter));
        for (var i = 0; i < y.Length; i++)
            Assert.AreEqual(2 * weight * (Samples[i] - y[i]) / y.Length, gradient[i] - matching[i], 1e-6); // float32 of numbers below 1
        Assert.AreEqual(weight * Samples.Zip(y, (x, v) => (x - v) * (x - v)).Average(), with.Loss - without.Loss, 1e-5); // the same
    }

    [TestMethod]
    public void WithoutARegressionNoPairsAreAskedFor()
    {
        Assert.IsNull(Create(0).Pairs);
        Assert.IsFalse(Student(0).Feeds.Keys.Any(f => f.StartsWith("pair", StringComparison.Ordinal)));
        Assert.IsNotNull(Create(0.25).Pairs);
    }

    /// <summary>(1/sigma² + 1/sd²) mean (f - x)², sigma over the whole grid: a mean over the pixels where the other methods have a sum.</summary>
    [TestMethod]
    public void TheFakeScoresLossIsAMeanOverPixels()
    {
        var run = PhaseRun.Of(Create(0).Phases[0], Task, null, new Dictionary<string, Network>
        {
            [Roles.Student] = TestNetworks.Sample(Samples, Batch),
            [Roles.FakeScore] = TestNetworks.Linear(Fake, Batch),
        });
        var (loss, offset) = (0.0, new double[2]);
        for (var i = 0; i < Batch; i++)
        {
            var sigma = Oracles.Karras(run.Feeds["sigma_draw"].ToDoubles()[i], Task);
            var weight = (1 / (sigma * sigma)) + (1 / (SigmaData * SigmaData));
            var clean = Array.ConvertAll(Samples[(2 * i)..((2 * i) + 2)], v => (double)v);
            var noisy = clean.Zip(run.Feeds["epsilon"].ToDoubles()[(2 * i)..((2 * i) + 2)], (y, n) => y + (sigma * n)).ToArray();
            var error = Fake.Denoise(noisy, sigma).Zip(clean, (d, y) => d - y).ToArray();
            loss += weight * error.Average(e => e * e) / Batch;
            for (var j = 0; j < 2; j++)
                offset[j] += weight * error[j] / Batch;
        }
        Assert.AreEqual(loss, run.Loss, 1e-5 * loss); // float32; the seventh power of the law multiplies roundings by seven
        var found = run.Gradient(Roles.FakeScore, TestNetworks.OffsetParameter);
        for (var j = 0; j < 2; j++)
            Assert.AreEqual(offset[j], found[j], 1e-5 * offset.Max(Math.Abs));
    }

    [TestMethod]
    public void AStudentWithLatentsOfItsOwnCannotLearnFromPairs() => Expect.Error<RecipeException>(() => PhaseRun.Of(Create(0.25).Phases[1],
        Task with { LatentShape = [5] }, MixtureTeacher.Build(Toys.TwoModes).AtBatch(Batch), Networks()), "options.pairs", "latents [5]", "[2]");

    private static PhaseRun Student(double weight) => PhaseRun.Of(Create(weight).Phases[1], Task, MixtureTeacher.Build(Toys.TwoModes).AtBatch(Batch), Networks());

    private static Dictionary<string, Network> Networks() => new()
    {
        [Roles.Student] = TestNetworks.Sample(Samples, Batch),
        [Roles.FakeScore] = TestNetworks.Linear(Fake, Batch),
    };

    private static IDistillationMethod Create(double weight) => DistillationMethods.Create("dmd", new JsonObject { ["regressionWeight"] = weight });
}
