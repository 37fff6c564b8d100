using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Networks.Posteriors;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Networks;

/// <summary>The flow as a map: its Jacobian against differences, its order of places, its splines' shape.</summary>
[TestClass]
public sealed class PosteriorFlowTests
{
    private const double Bound = 2.5;
    private static readonly FlowOptions Options = new() { Layers = 3, Hidden = [16, 12], Bins = 4, Bound = Bound };

    /// <summary>ln|det dT/dz| against the logarithm of the determinant of T's differences, inside the bound, astride and outside.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public void TheLogDeterminantIsThatOfTheNumericalJacobian(int dimension)
    {
        // Three layers in float32 leave about 1e-6, over two steps 1e-4 of a slope; a knot within a step costs about step x the curvature's jump, up to 10 for a spline of narrow pieces.
        const float step = 4e-3f;
        const int points = 60;
        var per = 1 + (2 * dimension);
        var z = new List<float>();
        var random = new TestRandom(1);
        for (var i = 0; i < points; i++)
        {
            var at = Array.ConvertAll(random.Normals(dimension), n => (float)(2 * n));
            z.AddRange(at);
            for (var axis = 0; axis < dimension; axis++)
            {
                z.AddRange(at.Select((v, k) => k == axis ? v + step : v));
                z.AddRange(at.Select((v, k) => k == axis ? v - step : v));
            }
        }
        Assert.IsTrue(z.Exists(v => Math.Abs(v) > Bound) && z.Exists(v => Math.Abs(v) < Bound));
        var (mapped, logDeterminant) = Run(z, dimension, [.. Enumerable.Repeat((0.7f, -0.4f), points * per)]);
        var off = new List<double>();
        for (var i = 0; i < points; i++)
        {
            var jacobian = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(dimension, dimension, (row, axis) =>
            {
                double At(int which) => mapped[(((i * per) + which) * dimension) + row];
                return (At(1 + (2 * axis)) - At(2 + (2 * axis))) / ((double)z[(((i * per) + 1 + (2 * axis)) * dimension) + axis] - z[(((i * per) + 2 + (2 * axis)) * dimension) + axis]);
            });
            off.Add(Math.Abs(Math.Log(Math.Abs(jacobian.Determinant())) - logDeterminant[i * per]));
        }
        off.Sort();
        Assert.IsLessThanOrEqualTo(1e-3, off[points / 2]);
        Assert.IsLessThanOrEqualTo(5e-2, off[^1]); // beside a knot
        Assert.IsGreaterThan(0.1, logDeterminant.Max() - logDeterminant.Min(), "a map with a constant Jacobian shows nothing");
    }

    [TestMethod]
    public void TheConditionersSeeEarlierPlacesAndTheContextOnly()
    {
        const int dimension = 3, count = 2;
        var b = new GraphBuilder();
        var z = b.Input("z", ElementType.Float32, Shape.Of(2, dimension));
        var context = b.Input("context", ElementType.Float32, Shape.Of(2, 2));
        b.Output("numbers", MaskedMlp.Apply(new Layers(b, 4), "masked", z, context, [12, 9], count));
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        bool[] Changed(float[] second, float[] secondContext)
        {
            float[] first = [0.3f, -0.2f, 0.9f];
            var found = session.Run(new Dictionary<string, TensorData>
            {
                ["z"] = TensorData.Of([.. first, .. second], 2, dimension),
                ["context"] = TensorData.Of([1, 2, .. secondContext], 2, 2),
            })["numbers"].ToDoubles();
            return [.. Enumerable.Range(0, dimension).Select(i => Enumerable.Range(i * count, count).Any(k => Math.Abs(found[k] - found[(dimension * count) + k]) > 1e-6))];
        }
        CollectionAssert.AreEqual(new[] { false, true, true }, Changed([1.3f, -0.2f, 0.9f], [1, 2]));
        CollectionAssert.AreEqual(new[] { false, false, true }, Changed([0.3f, 1.2f, 0.9f], [1, 2]));
        CollectionAssert.AreEqual(new[] { false, false, false }, Changed([0.3f, -0.2f, 1.9f], [1, 2]));
        CollectionAssert.AreEqual(new[] { true, true, true }, Changed([0.3f, -0.2f, 0.9f], [1, 3]));
    }

    [TestMethod]
    public void ASplineRisesFromBoundToBoundAndIsTheIdentityBeyond()
    {
        const int count = 1601, bins = 5;
        var x = Enumerable.Range(0, count).Select(i => -4 + (i * 0.005f)).ToArray();
        var (y, logSlope) = Spline(x, new TestRandom(6).Normals((3 * bins) - 1), bins);
        for (var i = 1; i < count; i++)
        {
            Assert.IsGreaterThan(y[i - 1], y[i]);
            // The mean slope over 0.005 lies between both ends' slopes, but for a peak on a knot between them; float32 leaves 5e-7/0.005.
            var (slope, before) = (Math.Exp(logSlope[i]), Math.Exp(logSlope[i - 1]));
            Assert.AreEqual((slope + before) / 2, (y[i] - y[i - 1]) / (x[i] - (double)x[i - 1]), (Math.Abs(slope - before) / 2) + (0.01 * slope) + 1e-3, $"at {x[i]}");
            if (Math.Abs(x[i]) >= Bound)
            {
                Assert.AreEqual(x[i], (float)y[i]);
                Assert.AreEqual(0, logSlope[i]);
            }
        }
        Assert.IsGreaterThan(0.3, x.Zip(y, (a, b) => Math.Abs(a - b)).Max(), "the identity shows nothing");
    }

    [TestMethod]
    public void ASplineOfZerosIsTheIdentity()
    {
        float[] x = [-3, -2.4f, -0.6f, 0, 1.1f, 2.49f, 7];
        var (y, logSlope) = Spline(x, new double[14], bins: 5);
        for (var i = 0; i < x.Length; i++)
        {
            Assert.AreEqual(x[i], y[i], 1e-6); // float32
            Assert.AreEqual(0, logSlope[i], 1e-6);
        }
    }

    private static (double[] Y, double[] LogSlope) Spline(float[] x, double[] parameters, int bins)
    {
        var b = new GraphBuilder();
        var (y, logSlope) = RationalQuadraticSpline.Apply(b, b.Input("x", ElementType.Float32, Shape.Of(x.Length, 1)),
            b.Expand(b.Constant(TensorData.Of(Array.ConvertAll(parameters, p => (float)p), 1, 1, parameters.Length)), Shape.Of(x.Length, 1, parameters.Length)), bins, Bound);
        b.Output("y", y);
        b.Output("slope", logSlope);
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        var found = session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Of(x, x.Length, 1) });
        return (found["y"].ToDoubles(), found["slope"].ToDoubles());
    }

    private static (double[] Mapped, double[] LogDeterminant) Run(List<float> z, int dimension, IReadOnlyList<(float, float)> context)
    {
        var b = new GraphBuilder();
        var input = b.Input("z", ElementType.Float32, Shape.Of(context.Count, dimension));
        var given = b.Input("context", ElementType.Float32, Shape.Of(context.Count, 2));
        var (mapped, logDeterminant) = PosteriorFlow.Apply(new Layers(b, 3), Options, input, given);
        b.Output("mapped", mapped);
        b.Output("logDeterminant", logDeterminant);
        var model = new OnnxModel(b.Graph);
        var network = new Network(model, "the flow", model);
        var random = new TestRandom(2);
        var feeds = network.Parameters.ToDictionary(p => p.Name, p => BoundNetworks.Moved(p.Constant!, random, 0.2)); // a parameter is an initializer
        feeds["z"] = TensorData.Of([.. z], context.Count, dimension);
        feeds["context"] = TensorData.Of([.. context.SelectMany(c => new[] { c.Item1, c.Item2 })], context.Count, 2);
        using var session = GraphSession.Create(BoundNetworks.Bound(network, network.Parameters.Select(p => p.Name)));
        var found = session.Run(feeds);
        return (found["mapped"].ToDoubles(), found["logDeterminant"].ToDoubles());
    }
}
