using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>The optimizer in blocks against its graph on the whole vector.</summary>
[TestClass]
public sealed class OptimizerRunnerTests
{
    private const double Rate = 0.01, EmaBeta = 0.9;

    public static IEnumerable<object[]> Settings =>
    [
        [new OptimizerOptions { Epsilon = 0.1 }, 1],
        [new OptimizerOptions { Beta1 = 0, Epsilon = 0.1, WeightDecay = 0.1 }, 2],
        [new OptimizerOptions { ClipNorm = 20, Epsilon = 0.1 }, 1],
        [new OptimizerOptions { ClipNorm = 1e6, Epsilon = 0.1 }, 2],
        [new OptimizerOptions { ClipNorm = 20, ClipValue = 0.3, Epsilon = 0.1 }, 2],
        [new OptimizerOptions { Beta1 = 0, ClipValue = 0.3, Epsilon = 0.1 }, 3],
    ];

    [TestMethod]
    [DynamicData(nameof(Settings))]
    public void BlocksGiveWhatTheWholeVectorGives(OptimizerOptions options, int lanes)
    {
        using var state = State(options, lanes);
        var length = state.Description.Layout.Length;
        using var session = GraphSession.Create(OptimizerGraph.Build(length, options, ema: true));
        using var runner = new OptimizerRunner(state, new DeviceOptions { Threads = 2 });
        var whole = state.Vectors.ToDictionary(v => v, v => TensorData.Of(Vector(state, v), length));
        var random = new TestRandom(5);
        for (var step = 1; step <= 3; step++)
        {
            var mean = FillGradients(state, random);
            var feeds = new Dictionary<string, TensorData>(whole) { [OptimizerGraph.Gradient] = TensorData.Of(mean, length) };
            foreach (var name in OptimizerGraph.Scalars(options, true))
                feeds[name] = TensorData.Scalar(Schedules.OptimizerScalar(name, options, Rate, step, EmaBeta));
            var expected = session.Run(feeds);
            var norm = runner.Update(Rate, EmaBeta).Norm;

            // float32: the mean of the lanes is formed in another order, sums of squares have 80,000 terms.
            Assert.AreEqual(expected[OptimizerGraph.GradientNorm].ToDoubles()[0], norm, 1e-5 * norm);
            foreach (var name in state.Vectors)
            {
                whole[name] = expected[OptimizerGraph.Next(name)];
                var (a, b) = (whole[name].ToDoubles(), Vector(state, name));
                // A few roundings of float32, of weights and moments of the size of 1; a wrong factor would move a weight by 1e-3.
                Assert.AreEqual(0, a.Zip(b, static (p, q) => Math.Abs(p - q)).Max(), 2e-6, $"{name}, step {step}");
            }
        }
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(20.0)]
    public void ThreadsChangeNoBit(double clipNorm)
    {
        var options = new OptimizerOptions { ClipNorm = clipNorm };
        CollectionAssert.AreEqual(Trained(1), Trained(2));
        CollectionAssert.AreEqual(Trained(1), Trained(3));

        float[] Trained(int threads)
        {
            using var state = State(options, lanes: 2);
            using var runner = new OptimizerRunner(state, new DeviceOptions { Threads = threads });
            var random = new TestRandom(6);
            for (var step = 0; step < 3; step++)
            {
                FillGradients(state, random);
                runner.Update(Rate, EmaBeta);
            }
            return Vector(state, OptimizerGraph.Weights);
        }
    }

    [TestMethod]
    [DataRow(0.0, float.NaN)]
    [DataRow(20.0, float.NegativeInfinity)]
    public void ANumberThatIsNotFiniteInOneBlockKeepsAllBlocks(double clipNorm, float bad)
    {
        using var state = State(new OptimizerOptions { ClipNorm = clipNorm }, lanes: 2);
        using var runner = new OptimizerRunner(state, new DeviceOptions { Threads = 2 });
        FillGradients(state, new TestRandom(7));
        runner.Update(Rate, EmaBeta);
        var before = state.Vectors.ToDictionary(v => v, v => Vector(state, v));
        state.Gradients[1].Span<float>()[(int)state.Description.Layout.Slots[^1].Offset] = bad;
        Assert.IsFalse(float.IsFinite(runner.Update(Rate, EmaBeta).Norm));
        Assert.AreEqual(1, state.Step);
        foreach (var (name, values) in before)
            CollectionAssert.AreEqual(values, Vector(state, name), name);
    }

    /// <summary>The papers' rule, nan to 0 and infinities to 1e5 with their sign, on the mean over the lanes: bits of a gradient that holds those numbers.</summary>
    [TestMethod]
    [DataRow(0.0)]
    [DataRow(20.0)]
    public void ZeroReplacesAndCountsWhatIsNotFinite(double clipNorm)
    {
        CollectionAssert.AreEqual(Trained(NonFiniteGradients.Skip, 0, 2e5f, -2e5f, 0), Trained(NonFiniteGradients.Zero, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 3));

        float[] Trained(NonFiniteGradients rule, float a, float b, float c, long replaced)
        {
            using var state = State(new OptimizerOptions { ClipNorm = clipNorm, NonFinite = rule }, lanes: 2);
            using var runner = new OptimizerRunner(state, new DeviceOptions { Threads = 2 });
            FillGradients(state, new TestRandom(8));
            var (first, last) = ((int)state.Description.Layout.Slots[0].Offset, (int)state.Description.Layout.Slots[^1].Offset);
            foreach (var (at, bad) in new[] { (first, a), (first + 1, b), (last, c) })
                (state.Gradients[0].Span<float>()[at], state.Gradients[1].Span<float>()[at]) = (bad, 0);
            var result = runner.Update(Rate, EmaBeta);
            Assert.AreEqual((true, replaced), (result.Made, result.Replaced));
            return Vector(state, OptimizerGraph.Weights);
        }
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(20.0)]
    public void AnUpdateThatIsNotWantedChangesNothingButTellsItsNorm(double clipNorm)
    {
        using var state = State(new OptimizerOptions { ClipNorm = clipNorm }, lanes: 1);
        using var runner = new OptimizerRunner(state, new DeviceOptions { Threads = 2 });
        FillGradients(state, new TestRandom(9));
        var before = Vector(state, OptimizerGraph.Weights);
        var result = runner.Update(Rate, EmaBeta, wanted: false);
        Assert.IsGreaterThan(1, result.Norm);
        Assert.AreEqual((false, 0L), (result.Made, state.Step));
        CollectionAssert.AreEqual(before, Vector(state, OptimizerGraph.Weights));
    }

    [TestMethod]
    [DataRow(16L, 1)]
    [DataRow(32768L, 1)]
    [DataRow(32784L, 2)]
    [DataRow(81616L, 4)]
    [DataRow(484352L, 16)]
    [DataRow(1_000_000_000L, 256)]
    public void BlocksCoverTheVectorOnce(long length, int count)
    {
        var blocks = OptimizerBlock.Split(length);
        Assert.HasCount(count, blocks);
        Assert.AreEqual(length, blocks[^1].Offset + blocks[^1].Count);
        for (var i = 1; i < count; i++)
            Assert.AreEqual((i, blocks[i - 1].Offset + blocks[i - 1].Count), (blocks[i].Index, blocks[i].Offset));
        Assert.IsTrue(blocks.All(b => b.Count > 0 && b.Offset % 16 == 0), "offsets are those of a cache line");
    }

    private static NetworkState State(OptimizerOptions options, int lanes)
    {
        using var files = new TestFiles();
        var network = Toys.Program(files, "diff-instruct", "network.hidden=[200,200,200]").Network(Roles.Student);
        var state = new NetworkState(network with { Optimizer = options }, lanes);
        var blocks = OptimizerBlock.Split(network.Layout.Length);
        Assert.IsTrue(blocks.Count > 2 && blocks[^1].Count < blocks[0].Count, "several blocks, the last one shorter");
        return state;
    }

    // Padding stays zero, as everywhere.
    private static float[] FillGradients(NetworkState state, TestRandom random)
    {
        var mean = new float[state.Description.Layout.Length];
        foreach (var gradient in state.Gradients)
        {
            foreach (var slot in state.Description.Layout.Slots)
            {
                var numbers = random.FloatNormals((int)slot.Count);
                gradient.CopyFrom<float>(numbers, slot.Offset);
                for (var i = 0; i < numbers.Length; i++)
                    mean[slot.Offset + i] += numbers[i] / state.Gradients.Count;
            }
        }
        return mean;
    }

    private static float[] Vector(NetworkState state, string name) => state.Current(name).Span<float>().ToArray();
}
