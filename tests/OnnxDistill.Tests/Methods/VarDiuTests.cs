using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>What VarDiU's loss is beyond the rows that all methods share.</summary>
[TestClass]
public sealed class VarDiuTests
{
    private const int Batch = 5;
    private const double A = 0.8, B = -0.3;

    /// <summary>On a line, student x = a z + b: with the exact posterior the noise leaves the gradient, sample by sample, and what stays is w (s_p - s_q).</summary>
    [TestMethod]
    public void WithTheExactPosteriorEverySampleGetsDiffInstructsGradient()
    {
        const double sigma = 0.7;
        var run = OnALine(sigma, antithetic: false, out var samples);
        var noise = run.Feeds["epsilon"].ToDoubles();
        var gradient = run.Gradient(Roles.Student, TestNetworks.SampleParameter);
        for (var i = 0; i < Batch; i++)
        {
            var noisy = samples[i] + (sigma * noise[i]);
            var (student, teacher) = (-(noisy - B) / ((A * A) + (sigma * sigma)), -(noisy - 2) / (1 + (sigma * sigma)));
            Assert.AreEqual((student - teacher) / Batch, gradient[i], 2e-6); // float32 of a few numbers around 1
        }
    }

    [TestMethod]
    public void AntitheticNoiseIsTheMeanOfBothSigns()
    {
        var both = OnALine(0.7, antithetic: true, out _).Gradient(Roles.Student, TestNetworks.SampleParameter);
        var plus = OnALine(0.7, antithetic: false, out _).Gradient(Roles.Student, TestNetworks.SampleParameter);
        var minus = OnALine(0.7, antithetic: false, out _, sign: -1).Gradient(Roles.Student, TestNetworks.SampleParameter);
        for (var i = 0; i < Batch; i++)
            Assert.AreEqual((plus[i] + minus[i]) / 2, both[i], 1e-6); // float32
        Assert.IsGreaterThan(0.01, plus.Zip(minus, (p, m) => Math.Abs(p - m)).Max(), "signs that do not matter show nothing");
    }

    [TestMethod]
    public void AWeightIsAPowerOfTheLevelOverTheLawsLargest()
    {
        var plain = OnALine(0.7, antithetic: true, out _).Gradient(Roles.Student, TestNetworks.SampleParameter);
        var weighted = OnALine(0.7, antithetic: true, out _, weightPower: 4).Gradient(Roles.Student, TestNetworks.SampleParameter);
        for (var i = 0; i < Batch; i++)
            Assert.AreEqual(plain[i] * Math.Pow(0.7 / 4, 4), weighted[i], 1e-5 * Math.Abs(plain[i])); // float32
    }

    /// <summary>Images with classes: both networks learn, and the posterior is told the class.</summary>
    [TestMethod]
    public void ImagesWithClassesTrainStudentAndPosterior()
    {
        var card = new TeacherCard { Data = "images", Labels = 3 };
        Denoiser Net(long seed) => SongUNet.Build(new SongUNetOptions { Channels = 4, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [], Seed = seed }, card, 1, 4, 4);
        var method = Method("""{ "posterior": { "uNet": { "channels": 4, "multipliers": [1, 2], "attentionResolutions": [] } } }""");
        var task = new DistillationTask(Batch, [1, 4, 4], 0.5, 1, 3);
        var (_, teacher, networks) = TrainingProgram.Templates(method, Net(1), Net(2), task);
        var run = PhaseRun.Of(method.Phases.Single(), task, teacher, networks);
        Assert.IsTrue(double.IsFinite(run.Loss));
        foreach (var (role, parameter) in new[] { (Roles.Student, "map_label.weight"), (Roles.Posterior, "map_label.weight"), (Roles.Posterior, "map_layer0.weight") })
            Assert.IsGreaterThan(0, run.Gradient(role, parameter).Max(Math.Abs), $"{role} {parameter}");
    }

    [TestMethod]
    public void AFlowOverImagesIsRefused()
    {
        var method = Method("""{ "posterior": { "kind": "flow" } }""");
        Expect.Error<RecipeException>(() => method.Auxiliaries[0].Build!(new DistillationTask(2, [1, 8, 8], 0.5, 1, 0)), "options.posterior", "[1, 8, 8]", "gaussian"); // VarDiU makes its posterior
    }

    private static IDistillationMethod Method(string options) => DistillationMethods.Create("vardiu", JsonNode.Parse(options)!.AsObject());

    // Samples a z + b against the teacher N(2, 1), at one noise level.
    private static PhaseRun OnALine(double sigma, bool antithetic, out double[] samples, int sign = 1, int weightPower = 0)
    {
        var level = """{ "kind": "log-normal", "mean": 0, "deviation": 1, "max": 4, "absolute": true }""";
        var method = Method($$"""{ "studentNoise": {{level}}, "weightPower": {{weightPower}}, "antithetic": {{(antithetic ? "true" : "false")}} }""");
        var total = (A * A) + (sigma * sigma);
        float[] z = [-1.3f, 0.2f, 0.9f, -0.4f, 2.1f];
        samples = Array.ConvertAll(z, v => (A * v) + B);
        var networks = new Dictionary<string, Network>
        {
            [Roles.Student] = TestNetworks.Sample(Array.ConvertAll(samples, v => (float)v), Batch),
            [Roles.Posterior] = TestNetworks.Posterior(new LinearDenoiser([A / total * (1 + (sigma * sigma))], [-A * B / total]), sigma / Math.Sqrt(total), Batch),
        };
        var teacher = MixtureTeacher.Build(new GaussianMixture([1], [[2]], [1])).AtBatch(Batch);
        var graph = TrainingGraph.Build(method.Phases.Single(), new DistillationTask(Batch, [1], 0.5, 1, 0), teacher, networks);
        var feeds = PhaseRun.FeedsOf(graph.Feeds, networks);
        feeds["z"] = TensorData.Of(z, Batch, 1);
        feeds["sigma_draw"] = TensorData.Of([.. Enumerable.Repeat((float)Math.Log(sigma), Batch)], Batch);
        feeds["epsilon"] = TensorData.Of([.. feeds["epsilon"].ToDoubles().Select(e => (float)(sign * e))], Batch, 1);
        using var session = GraphSession.Create(graph.Model);
        var used = graph.Model.Graph.Inputs.ToDictionary(i => i.Name, i => feeds[i.Name]);
        return new PhaseRun(graph, used, session.Run(used));
    }
}
