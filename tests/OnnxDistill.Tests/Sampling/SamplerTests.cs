using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Sampling.Levels;
using OnnxDistill.Sampling.Solvers;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Sampling;

/// <summary>Every solver and grid on flows that are known.</summary>
[TestClass]
public sealed class SamplerTests
{
    private const double Mean = TestTeachers.Mean, Std = TestTeachers.Std;

    public static IEnumerable<object[]> Solvers => SamplerCases.Solvers.Select(c => new object[] { c });

    public static IEnumerable<object[]> Grids => SamplerCases.Levels.Select(c => new object[] { c });

    [TestMethod]
    public void EverySolverAndGridHasACase()
    {
        CollectionAssert.AreEqual(SolverCatalog.Names.ToArray(), SamplerCases.Solvers.Select(c => c.Name).ToArray());
        CollectionAssert.AreEqual(LevelCatalog.Names.ToArray(), SamplerCases.Levels.Select(c => c.Name).Distinct().ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(Grids))]
    public void AGridHasItsLevelsAndThenZero(object row)
    {
        var c = (LevelCase)row;
        var levels = TeacherSampler.Levels(c.Card, new SamplerOptions { Levels = c.Name, Steps = c.Steps });
        Assert.HasCount(c.Steps + 1, levels);
        for (var i = 0; i < c.Steps; i++)
            Assert.AreEqual(c.Levels[i], levels[i], 1e-7 * c.Levels[i], "as many digits as the table of cases has");
        Assert.AreEqual(0, levels[c.Steps]);
    }

    /// <summary>On N(m, s²) the flow is linear: x - m shrinks by s / sqrt(s² + sigma_max²), from pure noise to s times the noise.</summary>
    [TestMethod]
    [DynamicData(nameof(Solvers))]
    public void ASolverConvergesToTheGaussianWithItsOrderInBothFrames(object row)
    {
        var c = (SolverCase)row;
        foreach (var levels in new[] { "karras", "flow" })
        {
            var options = new SamplerOptions { Solver = c.Name, Levels = levels, Steps = 40 };
            var (coarse, fine) = (LargestError(options), LargestError(options with { Steps = 80 }));
            Assert.IsLessThan(c.Order == 1 ? 0.06 : 0.005, fine, $"{levels}: in units of a deviation of 0.4");
            // Half the step leaves 2^-order of the error; float32 denoisers and Heun's last step, an Euler step, take a little of that.
            Assert.AreEqual(c.Order, Math.Log2(coarse / fine), 0.35, $"{levels}: {coarse} {fine}");
        }
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(4)]
    [DataRow(10)]
    public void EulerOnTheFlowGridIsTheFlowsOwnEulerLoop(int steps)
    {
        const int count = 40;
        var network = new GraphBuilder("raw");
        var state = network.Input("z", ElementType.Float32, Shape.Of(count, 2));
        var time = network.Input("t", ElementType.Float32, Shape.Of(count));
        network.Output("v", TestTeachers.TwoModes(network, state, time));
        using var session = GraphSession.Create(new OnnxModel(network.Graph));
        // z <- z - v / K from t = 1 down, as the flow's papers and pages have it.
        var z = Latents(2, 2 * count);
        for (var i = 0; i < steps; i++)
        {
            var v = session.Run(new Dictionary<string, TensorData>
            {
                ["z"] = TensorData.Of(Array.ConvertAll(z, n => (float)n), count, 2),
                ["t"] = TensorData.Of([.. Enumerable.Repeat((float)(1 - (i / (double)steps)), count)], count),
            })["v"].As<float>();
            for (var k = 0; k < z.Length; k++)
                z[k] -= v[k] / (double)steps;
        }
        using var sampler = new TeacherSampler(TestTeachers.Flow(TestTeachers.TwoModes));
        foreach (var solver in new[] { "euler", "ddim" })
        {
            // The velocity goes through D and back: some float32 roundings of numbers of size 3, which a step between the modes enlarges.
            Near(z, sampler.Sample(count, 2, new SamplerOptions { Solver = solver, Levels = "flow", Steps = steps }).Data, 5e-6);
        }
    }

    [TestMethod]
    [DataRow("karras")]
    [DataRow("flow")]
    [DataRow("ddpm")]
    public void DdimWithoutFreshNoiseIsEuler(string levels)
    {
        using var sampler = new TeacherSampler(TestTeachers.Gaussian());
        var options = new SamplerOptions { Levels = levels, Steps = 12 };
        var euler = sampler.Sample(20, 1, options with { Solver = "euler" }).Data;
        // The same in exact arithmetic; the denoiser rounds to float32 twelve times.
        Near(Array.ConvertAll(euler, x => (double)x), sampler.Sample(20, 1, options with { Solver = "ddim" }).Data, 3e-6);
    }

    [TestMethod]
    [DataRow("heun", "karras", 0, 0)]
    [DataRow("heun", "karras", 20, 0)]
    [DataRow("heun", "flow", 20, 0)]
    [DataRow("euler", "karras", 4, 0)]
    [DataRow("ddim", "ddpm", 0, 1)]
    [DataRow("ddim", "flow", 0, 0.5)]
    public void SamplesHaveTheGaussiansMeanAndDeviationWhateverNoiseIsAdded(string solver, string levels, double churn, double eta)
    {
        const int count = 4000;
        using var sampler = new TeacherSampler(TestTeachers.Gaussian());
        var options = new SamplerOptions { Solver = solver, Levels = levels, Steps = solver == "heun" ? 40 : 200, Churn = churn, Eta = eta };
        var x = sampler.Sample(count, 3, options, batch: 1000).Data.Select(v => (double)v).ToArray();
        var mean = x.Average();
        // Four standard errors; steps of this length leave about 1 % of the deviation, which is one of them.
        Assert.AreEqual(Mean, mean, 4 * Std / Math.Sqrt(count));
        Assert.AreEqual(Std, Math.Sqrt(x.Average(v => (v - mean) * (v - mean))), 4 * Std / Math.Sqrt(2 * count));
    }

    /// <summary>Algorithm 2 by hand, for one step: sigma grows by the factor 1 + gamma, noise fills the gap, then comes Euler's step to 0, whose result is D.</summary>
    [TestMethod]
    public void ChurnRaisesTheLevelByItsFactorAndAddsItsNoise()
    {
        const double gamma = 0.3, size = 1.5, sigma = 2;
        var card = MixtureTeacher.Card(new GaussianMixture([1], [[Mean]], [Std]), "") with { SigmaMax = sigma };
        var model = TestTeachers.Gaussian().Model;
        card.WriteTo(model);
        using var sampler = new TeacherSampler(new Denoiser(model));
        var found = sampler.Sample(30, 4, new SamplerOptions { Solver = "euler", Steps = 1, Churn = gamma, ChurnNoise = size }).Data;
        var (z, noise) = (Latents(4, 30), Latents(4, 30, "churn"));
        var raised = sigma * (1 + gamma);
        var expected = z.Zip(noise, (n, e) => (n * sigma) + (Math.Sqrt((raised * raised) - (sigma * sigma)) * size * e))
            .Select(x => ((Std * Std * x) + (raised * raised * Mean)) / ((Std * Std) + (raised * raised)));
        Near([.. expected], found, 1e-6); // one float32 denoiser
    }

    [TestMethod]
    public void APathOverWholeLevelsHasEachOfThemOnce()
    {
        var teacher = TestTeachers.ThreeLevels();
        CollectionAssert.AreEqual(new double[] { 4, 2, 1, 0 }, TeacherSampler.Levels(teacher.Card, new SamplerOptions { Steps = 9 }));
        using var sampler = new TeacherSampler(teacher);
        // Churn raises levels to known ones too: any other answer is not a number.
        Assert.IsTrue(sampler.Sample(5, 0, new SamplerOptions { Steps = 9, Churn = 3 }).Data.All(float.IsFinite));
        var path = new SamplingPath([5.2, 4.6, 1.1, 0.7, 0]).Over(Math.Round);
        CollectionAssert.AreEqual(new double[] { 5, 1, 0 }, path.Sigmas);
        // Pure noise is a level that any flow teacher knows.
        var flow = new SamplingPath([1, 0.75, 0.5, 0]) { IsFlow = true }.Over(sigma => sigma > 100 ? sigma : Math.Round(sigma));
        CollectionAssert.AreEqual(new double[] { 1, 0.75, 0.5, 0 }, flow.Times);
    }

    [TestMethod]
    public void ChurnStaysInItsRangeOfLevels()
    {
        using var sampler = new TeacherSampler(TestTeachers.Gaussian());
        float[] Draw(SamplerOptions options) => sampler.Sample(8, 1, options).Data;
        var plain = Draw(new SamplerOptions { Steps = 6 });
        CollectionAssert.AreEqual(plain, Draw(new SamplerOptions { Steps = 6, Churn = 5, ChurnMin = 1000 }));
        CollectionAssert.AreEqual(plain, Draw(new SamplerOptions { Steps = 6, Churn = 5, ChurnMax = 1e-4 }));
        CollectionAssert.AreNotEqual(plain, Draw(new SamplerOptions { Steps = 6, Churn = 5, ChurnMin = 0.05, ChurnMax = 50 }));
    }

    [TestMethod]
    public void SettingsThatMeanNothingAreRefusedAllAtOnce()
    {
        using var sampler = new TeacherSampler(TestTeachers.Gaussian());
        Expect.Error<ArgumentException>(() => sampler.Sample(1, 0, new SamplerOptions { Solver = "rk4", Levels = "linear", Steps = 0, Churn = -1, Eta = 2 }),
            "'rk4'", "ddim, euler, heun", "'linear'", "ddpm, flow, karras", "steps: found 0", "churn: found -1", "eta: found 2");
        Expect.Error<ArgumentException>(() => sampler.Sample(1, 0, new SamplerOptions { Eta = 0.5 }), "eta: found 0.5", "'heun'", "'ddim' does");
        Expect.Error<ArgumentException>(() => sampler.Sample(1, 0, new SamplerOptions { Levels = "ddpm", Steps = 1001 }), "found 1001", "at most 1000");
        Expect.Error<TeacherMismatchException>(() => sampler.Sample(1, 0, new SamplerOptions { Guidance = 2 }), "no label", "--null-label");
    }

    private static double LargestError(SamplerOptions options)
    {
        var isFlow = options.Levels == "flow";
        var teacher = isFlow ? TestTeachers.GaussianFlow() : TestTeachers.Gaussian();
        using var sampler = new TeacherSampler(teacher);
        var found = sampler.Sample(isFlow ? 25 : 50, seed: 3, options).Data;
        var largest = teacher.Card.SigmaMax;
        return Latents(3, 50).Zip(found, (n, x) => Math.Abs(Mean
            + (isFlow ? Std * n : ((n * largest) - Mean) * Std / Math.Sqrt((Std * Std) + (largest * largest))) - x)).Max();
    }

    private static double[] Latents(long seed, int count, string stream = "z")
    {
        var z = new float[count];
        new NoiseStream(seed, StreamId.Named(stream)).FillNormal(z, 0);
        return Array.ConvertAll(z, n => (double)n);
    }

    private static void Near(double[] expected, float[] found, double tolerance)
    {
        Assert.HasCount(expected.Length, found);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], tolerance, $"number {i}");
    }
}
