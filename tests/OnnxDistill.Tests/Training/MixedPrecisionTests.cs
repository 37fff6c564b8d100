using System.Globalization;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Methods;
using OnnxDistill.Tests.Repository;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Training under fp16, with every result of the networks rounded as float16 rounds it.</summary>
[TestClass]
public sealed class MixedPrecisionTests
{
    private const int Steps = 20;

    public static IEnumerable<object[]> Methods => DistillationMethods.Names.Select(n => new object[] { n });

    /// <summary>The same noise, the same first weights. Adam's epsilon is large, so that an update is what its gradient is and not its sign.</summary>
    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void LossesAndWeightsFollowThoseOfFloat32(string method)
    {
        string[] settings = ["network.hidden=[32,32]", "training.batch=64", "training.optimizer={\"learningRate\":1e-3,\"beta1\":0.5,\"epsilon\":1e-2}"];
        var (losses, weights) = Train(method, [.. settings, "training.precision=fp32"]);
        var (halfLosses, halfWeights) = Train(method, [.. settings, "training.precision=fp16", "training.lossScale.initial=256"]);
        var (_, start) = Train(method, settings, steps: 0);
        for (var i = 0; i < losses.Count; i++)
        {
            // float16 keeps 11 bits: a number is off by up to 1 part in 2048, a loss of squared differences of such numbers by a few.
            Assert.AreEqual(losses[i], halfLosses[i], 0.01 * LossRounding(method) * Math.Max(1, Math.Abs(losses[i])), $"loss {i}");
        }
        var moved = Distance(start, weights);
        var apart = Distance(weights, halfWeights);
        // Rounding is not a bias: after 20 steps the two have parted by at most a twentieth of the way that they went.
        Assert.IsLessThan(0.05 * moved, apart, string.Create(CultureInfo.InvariantCulture, $"moved {moved:G3}, apart {apart:G3}"));
        Assert.IsGreaterThan(1e-5 * moved, apart, "fp16 computed the same as fp32, so it was not float16");
    }

    /// <summary>The graph for a GPU has the float16 kernels' form. The CPU runs it too, with some of the roundings left out; so the two forms agree
    /// within float16's rounding, or one of them is not the graph that it should be.</summary>
    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void TheFormForGpusComputesWhatTheFormForTheCpuDoes(string method)
    {
        using var files = new TestFiles();
        string[] settings = ["network.hidden=[16,16]", "training.precision=fp16"];
        var (rounded, half) = (Toys.Program(files, method, settings), Toys.Program(files, method, [.. settings, "training.device=cuda:0"]));
        var trained = rounded.Networks.ToDictionary(n => n.Role, n => n.Network);
        foreach (var (a, b) in rounded.Graphs.Zip(half.Graphs))
        {
            var feeds = PhaseRun.FeedsOf(a.Feeds, trained, a.Carried);
            feeds[TrainingGraph.LossScaleInput] = Graph.Model.TensorData.Scalar(16);
            var (expected, found) = (Run(a, feeds), Run(b, feeds));
            foreach (var (name, values) in expected)
            {
                var size = Math.Sqrt(values.Sum(static v => v * v));
                var error = Math.Sqrt(values.Zip(found[name], static (p, q) => (p - q) * (p - q)).Sum());
                // A dozen roundings of one part in 2048 on the way, by chance up or down.
                Assert.IsLessThan(4e-3 * size * LossRounding(method), error, $"{a.Phase.Name} {name}");
            }
        }
    }

    // The gradient of distribution matching is (f - r)/mean|x - r|, its loss the square: what f and r have in common cancels, and their roundings weigh the more.
    private static double LossRounding(string method) => method is "dmd" or "dmd2" or "f-distill" ? 4 : 1;

    [TestMethod]
    public void AnOverflowLowersTheScaleLeavesTheUpdateOutAndIsNoDivergence()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "diff-instruct", "training.precision=fp16", "training.lossScale.initial=1e12"));
        var student = engine.States[Roles.Student];
        var before = Weights(student);
        var result = engine.Step();
        Assert.AreEqual((0, 2), (result.Skipped, result.Overflows));
        Assert.IsTrue(result.Losses.Values.All(double.IsFinite), "the loss itself is not scaled");
        Assert.AreEqual(5e11, engine.LossScales["student"].Value);
        Assert.AreEqual(0, student.Step);
        CollectionAssert.AreEqual(before, Weights(student));

        var steps = 1;
        for (; student.Step == 0 && steps < 60; steps++)
            Assert.AreEqual(0, engine.Step().Skipped);
        Assert.IsLessThan(60, steps, "the scale never came down to where gradients are finite");
        CollectionAssert.AreNotEqual(before, Weights(student));
        Assert.IsTrue(Array.TrueForAll(Weights(student), float.IsFinite));
    }

    [TestMethod]
    public void ALossThatIsNotFiniteIsNotTheScalesDoing()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "diff-instruct", "training.precision=fp16", "training.lossScale.initial=4"));
        engine.States[Roles.FakeScore].Current(OptimizerGraph.Weights).Span<float>()[0] = float.NaN;
        var result = engine.Step();
        Assert.AreEqual((2, 0, 2), (result.Skipped, result.Overflows, result.NonFiniteLosses));
        Assert.IsTrue(engine.LossScales.Values.All(s => s.Value == 4));
    }

    /// <summary>The papers' rule replaces numbers that are not finite and goes on; the scale learns of them all the same.</summary>
    [TestMethod]
    public void ReplacedNumbersLowerTheScaleToo()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "diff-instruct", "training.precision=fp16", "training.lossScale.initial=1e12",
            "training.optimizer.nonFinite=zero"));
        var result = engine.Step();
        Assert.AreEqual((0, 0), Counts(result));
        Assert.IsGreaterThan(0, result.Replaced);
        Assert.AreEqual(5e11, engine.LossScales["student"].Value);
    }

    [TestMethod]
    public void TheScaleDoesNotChangeWhatIsLearnt()
    {
        // Powers of two are exact in float16 while nothing overflows or vanishes: only the smallest gradients round otherwise.
        var (losses, weights) = Train("sid", ["training.precision=fp16", "training.lossScale.initial=16", "training.optimizer.clipNorm=10"]);
        var (others, otherWeights) = Train("sid", ["training.precision=fp16", "training.lossScale.initial=32", "training.optimizer.clipNorm=10"]);
        for (var i = 0; i < losses.Count; i++)
            Assert.AreEqual(losses[i], others[i], 1e-3 * Math.Max(1, Math.Abs(losses[i])), $"loss {i}");
        Assert.IsLessThan(1e-2, Distance(weights, otherWeights) / weights.Length);
    }

    /// <summary>With a scale that falls at first and grows every third step, so that the state has something to remember.</summary>
    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void StoppedAndResumedIsTheUnbrokenRun(string method)
    {
        using var files = new TestFiles();
        string[] settings = ["training.precision=fp16", "training.lossScale={\"initial\":1e9,\"growthSteps\":3}", "training.maxSkippedSteps=1"];
        using var whole = new TrainingEngine(Toys.Program(files, method, settings));
        using var part = new TrainingEngine(Toys.Program(files, method, settings));
        using var rest = new TrainingEngine(Toys.Program(files, method, settings));
        for (var i = 0; i < 7; i++)
            part.Step();
        var state = State(part);
        TrainingState.Read(rest, new MemoryStream(state), "the state");
        CollectionAssert.AreEqual(state, State(rest));
        for (var i = 0; i < 30; i++)
            whole.Step();
        for (var i = 7; i < 30; i++)
            rest.Step();
        Assert.IsTrue(whole.LossScales.Values.All(s => s.Value is > 1 and < 1e9));
        CollectionAssert.AreEqual(State(whole), State(rest));
    }

    [TestMethod]
    public void AStateWithoutItsScaleIsRefusedAndPrecisionIsPartOfTheRecipe()
    {
        using var files = new TestFiles();
        using var half = new TrainingEngine(Toys.Program(files, "sid", "training.precision=fp16"));
        using var whole = new TrainingEngine(Toys.Program(files, "sid"));
        var state = State(whole);
        Expect.Error<RecipeException>(() => TrainingState.Read(half, new MemoryStream(state), "the state"), "precision");
        Assert.IsEmpty(whole.LossScales);
    }

    [TestMethod]
    public void Bfloat16IsRefusedWithTheReason()
    {
        using var files = new TestFiles();
        Expect.Error<RecipeException>(() => Toys.Recipe(files, "sid", "training.precision=bf16"), "training: precision: found bf16", "no bfloat16 kernels for Conv");
        Expect.Error<RecipeException>(() => Toys.Recipe(files, "sid", "training.precision=int8"), "training.precision", "one of fp32, fp16");
    }

    /// <summary>The eight modes of the ring, a fifth of the recipe's length; two sets of true samples are 0.009 apart.</summary>
    [TestMethod]
    [TestCategory("Slow")]
    public void AStudentOfTheRingComesOutAsWellUnderFp16()
    {
        using var files = new TestFiles();
        double Distance(string precision)
        {
            var recipe = RecipeLoader.Load(RepositoryRoot.Of("models", "ring8", "diff-instruct.json"), [$"training.precision={precision}", "training.images=800000", "training.snapshotImages=0"]);
            return Trainer.Run(TrainingProgram.Build(recipe), files[precision], false, new SilentObserver(), CancellationToken.None).Metrics["mmd10k.mmd"];
        }
        var (whole, half) = (Distance("fp32"), Distance("fp16"));
        Assert.IsLessThan((2 * whole) + 0.01, half, string.Create(CultureInfo.InvariantCulture, $"fp32 {whole:G3}, fp16 {half:G3}"));
    }

    private static (int Skipped, int Overflows) Counts(IterationResult result) => (result.Skipped, result.Overflows);

    private static (List<double> Losses, float[] Weights) Train(string method, string[] settings, int steps = Steps)
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, method, settings));
        var losses = new List<double>();
        for (var i = 0; i < steps; i++)
        {
            var result = engine.Step();
            Assert.AreEqual((0, 0), Counts(result));
            losses.AddRange(result.Losses.Values);
        }
        return (losses, Weights(engine.States[Roles.Student]));
    }

    private static Dictionary<string, double[]> Run(TrainingGraph graph, Dictionary<string, Graph.Model.TensorData> feeds)
    {
        using var session = GraphSession.Create(graph.Model);
        return session.Run(session.Inputs.ToDictionary(i => i.Name, i => feeds[i.Name])).ToDictionary(o => o.Key, o => o.Value.ToDoubles());
    }

    private static byte[] State(TrainingEngine engine)
    {
        using var stream = new MemoryStream();
        TrainingState.Write(engine, stream);
        return stream.ToArray();
    }

    private static float[] Weights(NetworkState state) => state.Current(OptimizerGraph.Weights).Span<float>().ToArray();

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, static (p, q) => (double)(p - q) * (p - q)).Sum());
}
