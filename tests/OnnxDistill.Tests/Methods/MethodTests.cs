using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Methods;

/// <summary>Every method's gradients: against central differences of its own loss, and against the papers' formulas.</summary>
[TestClass]
public sealed class MethodTests
{
    private const int Batch = 6;

    private static readonly double SigmaData = MixtureTeacher.Card(Toys.TwoModes, "").SigmaData;
    private static readonly DistillationTask Task = new(Batch, [2], SigmaData, SigmaInit: 1, Labels: 0) { Mixture = Toys.TwoModes };
    private static readonly LinearDenoiser Fake = new([0.7, -0.2, 0.4, 0.5], [0.1, -0.3]);
    private const double PosteriorDeviation = 0.6;
    private static readonly float[] Samples = new TestRandom(9).FloatNormals(Batch * 2);

    public static IEnumerable<object[]> Cases => MethodCases.All.Select(c => new object[] { c });

    [TestMethod]
    public void EveryMethodHasACase() =>
        CollectionAssert.AreEquivalent(DistillationMethods.Names.ToArray(), MethodCases.All.Select(c => c.Name).Distinct().ToArray());

    /// <summary>A method fits on a screen or two, or it holds what belongs elsewhere.</summary>
    [TestMethod]
    public void NoMethodsFileIsLongerThan150Lines()
    {
        var files = Directory.GetFiles(Repository.RepositoryRoot.Of("src/OnnxDistill/Methods"), "*.cs").Where(f => File.ReadAllText(f).Contains(": IDistillationMethod", StringComparison.Ordinal)).ToList();
        Assert.HasCount(DistillationMethods.Names.Count, files, "one file a method");
        Assert.AreEqual("", string.Join(", ", files.Where(f => File.ReadLines(f).Count() > 150).Select(Path.GetFileName)));
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void GradientsAreThoseOfTheLossWithStoppedValuesHeld(object row)
    {
        var method = ((MethodCase)row).Create();
        var (task, teacher, networks) = Setting(method);
        foreach (var phase in method.Phases)
        {
            var run = PhaseRun.Of(phase, task, teacher, networks);
            var (loss, feeds) = Frozen(phase, task, teacher, networks);
            using var session = GraphSession.Create(loss);
            var moved = phase.Trains.SelectMany(role => networks[role].Parameters.Select(p => new MovedTensor(TrainingGraph.ParameterInput(role, p.Name),
                p.Constant!, run.Gradient(role, p.Name)))).ToList(); // a parameter is an initializer
            double Loss(IReadOnlyDictionary<string, TensorData> changes) =>
                session.Run(feeds.Concat(changes).GroupBy(f => f.Key).ToDictionary(g => g.Key, g => g.Last().Value))[TrainingGraph.LossOutput].ToDoubles()[0];
            var found = DirectionalComparison.Of(moved, Loss, CentralDifference.SingleStep, directions: 8, seed: 1);
            // float32 losses: rounding and truncation of the differences meet below 1e-3; a lost term or a wrong factor is far above.
            Assert.IsLessThanOrEqualTo(1e-3, found.Error, $"{row} {phase.Name}: {found}");
        }
    }

    /// <summary>The student's parameter is the sample itself, the teacher an exact mixture, the fake score linear: all Jacobians are known.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TheSampleGetsThePapersCotangent(object row)
    {
        var c = (MethodCase)row;
        if (c.SampleGradient is null)
            return; // a fit has no generated sample; its gradient is in TheDenoiserGetsTheGradientOfScoreMatching
        var phase = c.Create().Phases.Single(p => p.Name == Roles.Student);
        var networks = new Dictionary<string, Network> { [Roles.Student] = TestNetworks.Sample(Samples, Batch) };
        if (c.Create().Auxiliaries.Any(a => a.Role == Roles.FakeScore))
            networks[Roles.FakeScore] = TestNetworks.Linear(Fake, Batch);
        if (c.Create().Auxiliaries.Any(a => a.Role == Roles.Posterior))
            networks[Roles.Posterior] = TestNetworks.Posterior(Fake, PosteriorDeviation, Batch);
        var run = PhaseRun.Of(phase, Task, MixtureTeacher.Build(Toys.TwoModes).AtBatch(Batch), networks);
        var expected = Enumerable.Range(0, Batch).SelectMany(i => c.SampleGradient(Point(c, run, i)).Select(g => g / Batch)).ToArray();
        // Relative to the largest number: float32 and cancellation in r - f.
        AssertClose(expected, run.Gradient(Roles.Student, TestNetworks.SampleParameter), 1e-5);
    }

    /// <summary>lambda ||D(y + sigma epsilon) - y||² with a linear D: its derivatives by matrix and offset, written out.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TheDenoiserGetsTheGradientOfScoreMatching(object row)
    {
        if (((MethodCase)row).ScorePhase is not var (phaseName, role))
            return; // no phase of its own fits a denoiser and nothing else
        var phase = ((MethodCase)row).Create().Phases.Single(p => p.Name == phaseName);
        var networks = new Dictionary<string, Network> { [Roles.Student] = TestNetworks.Sample(Samples, Batch) };
        networks[role] = TestNetworks.Linear(Fake, Batch);
        var run = PhaseRun.Of(phase, Task, null, networks);

        var (matrix, offset, loss) = (new double[4], new double[2], 0.0);
        for (var i = 0; i < Batch; i++)
        {
            var sigma = Oracles.LogNormal(run.Feeds["sigma_draw"].ToDoubles()[i], Task);
            var weight = (1 / (sigma * sigma)) + (1 / (SigmaData * SigmaData));
            var clean = Clean(run, i);
            var noisy = clean.Zip(Row(run, "epsilon", i), (y, n) => y + (sigma * n)).ToArray();
            var error = Fake.Denoise(noisy, sigma).Zip(clean, (d, y) => d - y).ToArray();
            loss += weight * error.Sum(e => e * e) / Batch;
            for (var j = 0; j < 2; j++)
            {
                offset[j] += 2 * weight * error[j] / Batch;
                for (var k = 0; k < 2; k++)
                    matrix[(k * 2) + j] += 2 * weight * error[j] * noisy[k] * LinearDenoiser.Shrink(sigma) / Batch;
            }
        }
        Assert.AreEqual(loss, run.Loss, 1e-5 * loss); // float32
        AssertClose(offset, run.Gradient(role, TestNetworks.OffsetParameter), 1e-5);
        AssertClose(matrix, run.Gradient(role, TestNetworks.MatrixParameter), 1e-5);
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void StopGradientsStandWhereThePaperHasThem(object row)
    {
        var method = ((MethodCase)row).Create();
        var (task, teacher, networks) = Setting(method);
        var markers = new List<int>();
        foreach (var phase in method.Phases)
        {
            // Only the trained networks have gradients, only trained networks are inputs: the teacher is part of the graph.
            var graph = TrainingGraph.Build(phase, task, teacher, networks);
            CollectionAssert.AreEquivalent(phase.Trains.ToArray(), graph.Gradients.Keys.ToArray());
            foreach (var role in phase.Trains)
                CollectionAssert.AreEqual(networks[role].Parameters.Select(p => p.Name).ToArray(), graph.Gradients[role].ToArray());
            Assert.IsFalse(graph.Model.Graph.Inputs.Exists(i => i.Name.StartsWith(Roles.Teacher, StringComparison.Ordinal)));
            Assert.IsTrue(graph.Model.Graph.Outputs.TrueForAll(o => o.Name == TrainingGraph.LossOutput || graph.Carried.Any(k => CarriedValue.OutputName(k.Name) == o.Name) || phase.Trains.Any(r => o.Name.StartsWith($"grad/{r}/", StringComparison.Ordinal))));

            // Asked for all gradients, the loss still gives none to the networks that its stop-gradients shield.
            var open = TrainingGraph.Build(phase with { Trains = [.. networks.Keys] }, task, teacher, networks);
            var blocked = ((MethodCase)row).Blocked.Where(b => b.Phase == phase.Name).Select(b => b.Role).ToArray();
            CollectionAssert.AreEquivalent(blocked, open.Gradients.Where(g => g.Value.Count == 0).Select(g => g.Key).ToArray(), phase.Name);
            var builder = new GraphBuilder();
            TrainingGraph.BuildLoss(builder, phase, task, teacher, networks);
            markers.Add(StopGradients.Markers(builder.Graph).Count());
        }
        CollectionAssert.AreEqual(((MethodCase)row).StopGradients, markers);
    }

    /// <summary>On a line: student samples of N(0, 1), teacher N(2, 1). Every sample's descent direction points to the teacher, whatever the noise.</summary>
    [TestMethod]
    public void DescentOfDiffInstructMovesTowardTheTeacher()
    {
        var task = new DistillationTask(Batch, [1], 0.5, 1, 0);
        var phase = MethodCases.All.First(c => c.Name == "diff-instruct").Create().Phases.Single(p => p.Name == Roles.Student);
        var gaussian = new GaussianMixture([1], [[2]], [1]);
        var run = PhaseRun.Of(phase, task, MixtureTeacher.Build(gaussian).AtBatch(Batch), new Dictionary<string, Network>
        {
            [Roles.Student] = TestNetworks.Sample(Samples[..Batch], Batch),
            // The exact denoiser of N(0, 1) is x / (1 + sigma²).
            [Roles.FakeScore] = TestNetworks.Linear(new LinearDenoiser([1], [0]), Batch),
        });
        var gradient = run.Gradient(Roles.Student, TestNetworks.SampleParameter);
        for (var i = 0; i < Batch; i++)
        {
            // f - r = sigma² (0 - 2) / (1 + sigma²): the step -gradient is positive.
            var sigma = Oracles.LogNormal(run.Feeds["sigma_draw"].ToDoubles()[i], task);
            var expected = -2 * sigma * sigma / (1 + (sigma * sigma)) / Batch;
            Assert.AreEqual(expected, gradient[i], 1e-6); // float32 of numbers around 0.1
            Assert.IsLessThan(0, gradient[i]);
        }
    }

    /// <summary>l = omega {(1 - alpha) |delta|² + delta · (f - x)}: 1 is SIM, 0.5 the Fisher gradient, and a larger alpha takes more of |delta|² away.</summary>
    [TestMethod]
    [DataRow(0)]
    [DataRow(0.5)]
    [DataRow(1)]
    [DataRow(1.2)]
    public void AlphaOfSidTakesTheSquaredDifferenceAway(double alpha)
    {
        var c = MethodCases.All.First(m => m.Name == "sid") with { Options = new() { ["alpha"] = alpha } };
        var run = PhaseRun.Of(c.Create().Phases.Single(p => p.Name == Roles.Student), Task, MixtureTeacher.Build(Toys.TwoModes).AtBatch(Batch),
            new Dictionary<string, Network> { [Roles.Student] = TestNetworks.Sample(Samples, Batch), [Roles.FakeScore] = TestNetworks.Linear(Fake, Batch) });
        var expected = Enumerable.Range(0, Batch).Select(i => Point(c, run, i)).Average(p =>
        {
            var delta = p.R.Zip(p.F, (r, f) => r - f).ToArray();
            return Oracles.SidWeight(p) * (((1 - alpha) * delta.Sum(d => d * d)) + delta.Zip(p.F.Zip(p.X, (f, x) => f - x), (a, b) => a * b).Sum());
        });
        // Ten units in the last place of float32: r, f and omega are rounded, then multiplied and summed.
        Assert.AreEqual(100 * expected, run.Loss, 1e-5 * 100 * Math.Abs(expected));
    }

    private static OraclePoint Point(MethodCase c, PhaseRun run, int i)
    {
        var sigma = c.StudentNoise(run.Feeds["sigma_draw"].ToDoubles()[i], Task);
        var x = Array.ConvertAll(Samples[(2 * i)..((2 * i) + 2)], v => (double)v);
        var noisy = x.Zip(Row(run, "epsilon", i), (a, n) => a + (sigma * n)).ToArray();
        var teacher = new MixtureDenoiser(Toys.TwoModes);
        return new OraclePoint(x, teacher.Denoise(noisy, sigma), Fake.Denoise(noisy, sigma), v => teacher.TransposedJacobian(noisy, sigma, v),
            v => Fake.TransposedJacobian(noisy, sigma, v), sigma, Task.NoiseScale)
        {
            // Of the Gaussian whose mean is the linear map: Jᵀ (z - mean) / deviation².
            Posterior = Fake.TransposedJacobian(noisy, sigma,
                run.Feeds.ContainsKey("z") ? [.. Row(run, "z", i).Zip(Fake.Denoise(noisy, sigma), (z, mean) => (z - mean) / (PosteriorDeviation * PosteriorDeviation))] : new double[2]),
        };
    }

    private static double[] Row(PhaseRun run, string feed, int i) => run.Feeds[feed].ToDoubles()[(2 * i)..((2 * i) + 2)];

    // The student's sample, or a sample of the data: m_k + s_k n.
    private static double[] Clean(PhaseRun run, int i)
    {
        if (!run.Feeds.TryGetValue("mode", out var modes))
            return Array.ConvertAll(Samples[(2 * i)..((2 * i) + 2)], v => (double)v);
        var mode = (int)modes.ToLongs()[i];
        return [.. Toys.TwoModes.Mean(mode).ToArray().Zip(Row(run, "data_noise", i), (m, n) => m + (Toys.TwoModes.Stds[mode] * n))];
    }

    // A student, and auxiliaries of the method's making or other weights. A teacher that is tapped has activations; an exact mixture has none.
    private static (DistillationTask Task, Network? Teacher, IReadOnlyDictionary<string, Network> Networks) Setting(IDistillationMethod method)
    {
        var teacher = method.Taps.Any(t => t is { Role: Roles.Teacher, Tensor: "" }) ? Toys.Mlp(3, 8) : MixtureTeacher.Build(Toys.TwoModes);
        var (task, frozen, networks) = TrainingProgram.Templates(method, method.NeedsTeacher ? teacher : null, Toys.Mlp(2, 8), Task);
        networks[Roles.Student] = Toys.Mlp(1, 8).AtBatch(Batch);
        return (task, frozen, networks);
    }

    private static (OnnxModel Loss, Dictionary<string, TensorData> Feeds) Frozen(TrainingPhase phase, DistillationTask task, Network? teacher,
        IReadOnlyDictionary<string, Network> networks)
    {
        // The same build twice: once to see what the marked values are, once with inputs in their place.
        var open = new GraphBuilder();
        var context = TrainingGraph.BuildLoss(open, phase, task, teacher, networks).Context;
        var feeds = PhaseRun.FeedsOf(context.Feeds, networks, context.CarriedValues);
        var marked = StopGradients.Markers(open.Graph).Select(m => (Name: m.Output.Name, Value: m.Input(0))).ToList();
        open.Graph.Outputs.AddRange(marked.Select(m => m.Value).Distinct());

        var held = new GraphBuilder();
        held.Output(TrainingGraph.LossOutput, TrainingGraph.BuildLoss(held, phase, task, teacher, networks).Loss);
        CollectionAssert.AreEqual(marked.ConvertAll(m => m.Name), StopGradients.Freeze(held.Graph).Select(f => f.Input).ToArray());
        if (marked.Count > 0)
        {
            using var session = GraphSession.Create(new OnnxModel(open.Graph));
            var values = session.Run(feeds);
            foreach (var (name, value) in marked)
                feeds[name] = values[value.Name];
        }
        return (new OnnxModel(held.Graph), feeds);
    }

    private static void AssertClose(double[] expected, double[] found, double tolerance)
    {
        Assert.HasCount(expected.Length, found);
        var scale = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], tolerance * scale, $"number {i}");
    }
}
