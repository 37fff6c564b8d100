using OnnxDistill.Graph.Model;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>The optimizer's graph against the papers' algorithms in double, over several steps.</summary>
[TestClass]
public sealed class OptimizerGraphTests
{
    private const int Length = 37;
    private const int Steps = 6;
    private const double Rate = 0.01;

    public static IEnumerable<object[]> Settings =>
    [
        [new OptimizerOptions()],
        [new OptimizerOptions { Beta1 = 0, Beta2 = 0.99 }],
        [new OptimizerOptions { Epsilon = 0.1 }],
        [new OptimizerOptions { WeightDecay = 0.1 }],
        [new OptimizerOptions { Beta1 = 0, WeightDecay = 0.2, Epsilon = 1e-4 }],
        [new OptimizerOptions { ClipNorm = 2, Epsilon = 0.1 }],
        [new OptimizerOptions { ClipValue = 0.3, Epsilon = 0.1 }],
        [new OptimizerOptions { ClipNorm = 1, ClipValue = 0.5, Epsilon = 0.1, WeightDecay = 0.01 }],
    ];

    [TestMethod]
    [DynamicData(nameof(Settings))]
    public void StepsAreThoseOfThePaper(object row) => Compare((OptimizerOptions)row, ema: false);

    [TestMethod]
    [DynamicData(nameof(Settings))]
    public void TheAverageFollowsTheWeights(object row) => Compare((OptimizerOptions)row, ema: true);

    [TestMethod]
    public void AFirstMomentOfZeroDecayHasNoVector()
    {
        var options = new OptimizerOptions { Beta1 = 0 };
        Assert.DoesNotContain(OptimizerGraph.FirstMoment, OptimizerGraph.State(options, ema: true));
        var model = OptimizerGraph.Build(Length, options, ema: true);
        CollectionAssert.AreEquivalent(OptimizerGraph.State(options, true).Append(OptimizerGraph.Gradient).Concat(OptimizerGraph.Scalars(options, true)).ToArray(),
            model.Graph.Inputs.Select(i => i.Name).ToArray());
        CollectionAssert.AreEquivalent(OptimizerGraph.State(options, true).Select(OptimizerGraph.Next).Append(OptimizerGraph.GradientNorm).ToArray(),
            model.Graph.Outputs.Select(o => o.Name).ToArray());
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    [DataRow(float.NegativeInfinity)]
    public void OneNumberThatIsNotFiniteShowsInTheNormAlsoWhenClipped(float bad)
    {
        var options = new OptimizerOptions { ClipNorm = 1, ClipValue = 1 };
        var gradient = new TestRandom(1).FloatNormals(Length);
        gradient[5] = bad;
        using var session = GraphSession.Create(OptimizerGraph.Build(Length, options, ema: false));
        var feeds = OptimizerGraph.State(options, false).ToDictionary(n => n, _ => TensorData.Of(new float[Length], Length));
        feeds[OptimizerGraph.Gradient] = TensorData.Of(gradient, Length);
        foreach (var scalar in OptimizerGraph.Scalars(options, false))
            feeds[scalar] = TensorData.Scalar(0.1);
        Assert.IsFalse(double.IsFinite(session.Run(feeds)[OptimizerGraph.GradientNorm].ToDoubles()[0]));
    }

    private static void Compare(OptimizerOptions options, bool ema)
    {
        var random = new TestRandom(2);
        var start = random.FloatNormals(Length);
        var reference = new Reference(options, Array.ConvertAll(start, w => (double)w));
        var state = OptimizerGraph.State(options, ema).ToDictionary(n => n,
            n => TensorData.Of(n is OptimizerGraph.Weights or OptimizerGraph.Ema ? start : new float[Length], Length));
        using var session = GraphSession.Create(OptimizerGraph.Build(Length, options, ema));
        for (var step = 1; step <= Steps; step++)
        {
            // The rate and the EMA's decay change from step to step, as schedules make them.
            var (rate, beta) = (Rate * step, 1 - (0.5 / step));
            var gradient = random.FloatNormals(Length);
            var feeds = new Dictionary<string, TensorData>(state) { [OptimizerGraph.Gradient] = TensorData.Of(gradient, Length) };
            foreach (var name in OptimizerGraph.Scalars(options, ema))
                feeds[name] = TensorData.Scalar(Schedules.OptimizerScalar(name, options, rate, step, beta));
            var outputs = session.Run(feeds);
            var norm = reference.Step(Array.ConvertAll(gradient, g => (double)g), rate, beta);

            Assert.AreEqual(norm, outputs[OptimizerGraph.GradientNorm].ToDoubles()[0], 1e-6 * norm);
            foreach (var name in state.Keys)
            {
                state[name] = outputs[OptimizerGraph.Next(name)];
                var (expected, found) = (reference.Vectors[name], state[name].ToDoubles());
                for (var i = 0; i < Length; i++)
                    // float32 at the size of weights, over six steps.
                    Assert.AreEqual(expected[i], found[i], 1e-6 * Math.Max(1, Math.Abs(expected[i])), $"{name}[{i}], step {step}");
            }
        }
    }

    /// <summary>Kingma and Ba, algorithm 1; Loshchilov and Hutter, algorithm 2; PyTorch's clipping, by value first.</summary>
    private sealed class Reference(OptimizerOptions options, double[] weights)
    {
        private readonly double[] _first = new double[weights.Length];
        private readonly double[] _second = new double[weights.Length];
        private readonly double[] _ema = [.. weights];
        private int _step;

        public Dictionary<string, double[]> Vectors => new()
        {
            [OptimizerGraph.Weights] = weights,
            [OptimizerGraph.FirstMoment] = _first,
            [OptimizerGraph.SecondMoment] = _second,
            [OptimizerGraph.Ema] = _ema,
        };

        public double Step(double[] gradient, double rate, double beta)
        {
            _step++;
            var norm = Norm(gradient);
            if (options.ClipValue > 0)
                gradient = Array.ConvertAll(gradient, g => Math.Clamp(g, -options.ClipValue, options.ClipValue));
            if (options.ClipNorm > 0)
            {
                var factor = Math.Min(1, options.ClipNorm / (Norm(gradient) + 1e-6));
                gradient = Array.ConvertAll(gradient, g => g * factor);
            }
            for (var i = 0; i < weights.Length; i++)
            {
                _first[i] = (options.Beta1 * _first[i]) + ((1 - options.Beta1) * gradient[i]);
                _second[i] = (options.Beta2 * _second[i]) + ((1 - options.Beta2) * gradient[i] * gradient[i]);
                var first = _first[i] / (1 - Math.Pow(options.Beta1, _step));
                var second = _second[i] / (1 - Math.Pow(options.Beta2, _step));
                weights[i] -= rate * options.WeightDecay * weights[i];
                weights[i] -= rate * first / (Math.Sqrt(second) + options.Epsilon);
                _ema[i] = (beta * _ema[i]) + ((1 - beta) * weights[i]);
            }
            return norm;
        }

        private static double Norm(double[] vector) => Math.Sqrt(vector.Sum(v => v * v));
    }
}
