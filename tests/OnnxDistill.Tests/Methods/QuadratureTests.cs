using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>
/// On a line: a student x = a z + b, whose exact score stands in the fake score's place, against a teacher of two components, at one noise level. Each method's gradient
/// by a and b, its samples weighted by quadrature, has to be the derivative of its divergence, which is computed by quadrature too and differentiated by central differences.
/// This catches signs, factors and lost terms.
/// </summary>
[TestClass]
public sealed class QuadratureTests
{
    private const double A = 0.7, B = 0.25, Sigma = 0.6;
    private const int Nodes = 61;

    private static readonly GaussianMixture Teacher = new([0.6, 0.4], [[-0.9], [0.8]], [0.5, 0.4]);
    private static readonly (float[] Points, double[] Weights) Grid = NormalGrid();

    // The trapezoidal rule on a smooth integrand that vanishes at both ends converges faster than any power of the step.
    private static (float[] Points, double[] Weights) NormalGrid()
    {
        const double end = 6.5;
        var step = 2 * end / (Nodes - 1);
        var points = Enumerable.Range(0, Nodes).Select(i => -end + (i * step)).ToArray();
        return (Array.ConvertAll(points, p => (float)p), Array.ConvertAll(points, p => Math.Exp(-p * p / 2) / Math.Sqrt(2 * Math.PI) * step));
    }

    public static IEnumerable<object[]> Divergences => Enum.GetValues<DivergenceKind>().Select(d => new object[] { d });

    [TestMethod]
    public void DiffInstructAndVsdDescendTheReverseKl()
    {
        var expected = Derivative((a, b) => Expectation(a, b, p => -Math.Log(p.Ratio)));
        // f - r = sigma² (s_p - s_q).
        AssertClose(expected, Gradient("diff-instruct", new() { ["studentNoise"] = Level }, (g, _) => g / (Sigma * Sigma)));
        AssertClose(expected, Gradient("vsd", new() { ["studentNoise"] = Level }, (g, _) => g * (1 + (Sigma * Sigma)) / Sigma / (Sigma * Sigma)));
    }

    /// <summary>With the exact posterior of z, N(a (x_t - b)/(a² + sigma²), sigma²/(a² + sigma²)), the bound touches the divergence.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void VarDiuDescendsTheReverseKl(bool antithetic)
    {
        var expected = Derivative((a, b) => Expectation(a, b, p => -Math.Log(p.Ratio)));
        AssertClose(expected, Gradient("vardiu", new() { ["studentNoise"] = Level, ["weightPower"] = 0, ["antithetic"] = antithetic }, (g, _) => g));
    }

    [TestMethod]
    [DynamicData(nameof(Divergences))]
    public void FDistillDescendsItsDivergence(DivergenceKind kind)
    {
        var expected = Derivative((a, b) => Expectation(a, b, p => F(kind, p.Ratio)));
        var options = new JsonObject
        {
            ["divergence"] = Name(kind),
            ["ratio"] = "exact",
            ["ratioBounds"] = new JsonArray(1e-9, 1e9),
            ["ganWeight"] = 0,
            ["bins"] = 0,
            ["normalizeWeights"] = false,
            ["studentNoise"] = Level,
        };
        AssertClose(expected, Gradient("f-distill", options, (g, p) => g * (Math.Abs(p.X - p.R) + 1e-6) / (Sigma * Sigma)));
    }

    [TestMethod]
    [DynamicData(nameof(Divergences))]
    public void UniInstructDescendsTheIntegrandOfItsExpansion(DivergenceKind kind)
    {
        // ½ E[h(rho) |s_p - s_q|²], h = rho² f''(rho) by central differences of f.
        var expected = Derivative((a, b) => Expectation(a, b, p => 0.5 * p.Ratio * p.Ratio * SecondDerivative(rho => F(kind, rho), p.Ratio) * p.Difference * p.Difference));
        AssertClose(expected, Gradient("uni-instruct", Uni(kind), (g, _) => g / 100));
    }

    /// <summary>Without the derivative of h the forward KL's gradient by the student's scale is lost in good part (methods.md 3.8).</summary>
    [TestMethod]
    public void TheReleasesTermsAreNotTheGradientOfTheForwardKl()
    {
        var exact = Gradient("uni-instruct", Uni(DivergenceKind.ForwardKl), (g, _) => g / 100);
        var options = Uni(DivergenceKind.ForwardKl);
        options["terms"] = "released";
        var released = Gradient("uni-instruct", options, (g, _) => g / 100);
        Assert.IsGreaterThan(0.2 * Math.Abs(exact.ByA), Math.Abs(exact.ByA - released.ByA));
    }

    [TestMethod]
    public void SidWithHalfIsTheFisherDivergenceAndWithOneIsSim()
    {
        // Before lsg and omega: l = (1 - alpha) |delta|² + delta · (f - x), delta = sigma² (s_q - s_p).
        var fisher = Derivative((a, b) => Expectation(a, b, p => 0.5 * Math.Pow(Sigma, 4) * p.Difference * p.Difference));
        AssertClose(fisher, Gradient("sid", new() { ["alpha"] = 0.5, ["studentNoise"] = Level }, WithoutOmega));
        // SIM holds the distribution of the samples at the student's: only the score moves.
        var implicitMatching = Derivative((a, b) => Expectation(A, B, p => 0.5 * Math.Pow(Sigma, 4) * Math.Pow(Score(p.Noisy, a, b) - p.TeacherScore, 2)));
        AssertClose(implicitMatching, Gradient("sid", new() { ["alpha"] = 1, ["studentNoise"] = Level }, WithoutOmega));
        AssertClose(implicitMatching, Gradient("sim", new() { ["distance"] = "l2", ["studentNoise"] = Level }, WithoutOmega));
        const double c = 0.2;
        var huber = Derivative((a, b) => Expectation(A, B, p => Sigma * Sigma * Math.Sqrt(Math.Pow(Score(p.Noisy, a, b) - p.TeacherScore, 2) + Math.Pow(c / (Sigma * Sigma), 2))));
        AssertClose(huber, Gradient("sim", new() { ["distance"] = "pseudo-huber", ["huberC"] = c, ["studentNoise"] = Level }, WithoutOmega));
    }

    [TestMethod]
    [DynamicData(nameof(Divergences))]
    public void TheTableOfDivergencesFollowsFromF(DivergenceKind kind)
    {
        var b = new OnnxDistill.Graph.Building.GraphBuilder();
        var rho = b.Input("rho", ElementType.Float64, Shape.Of(5));
        var row = Divergence.Of(kind);
        foreach (var (name, formula) in new[] { ("h", row.H), ("A", row.A), ("B", row.B), ("C", row.C) })
            b.Output(name, formula(b, rho));
        double[] points = [0.2, 0.6, 1, 1.7, 4];
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        var found = session.Run(new Dictionary<string, TensorData> { ["rho"] = TensorData.Of(points, 5) });
        for (var i = 0; i < points.Length; i++)
        {
            var x = points[i];
            double H(double r) => r * r * SecondDerivative(s => F(kind, s), r);
            const double step = 2e-3;
            var slope = (H(x + step) - H(x - step)) / (2 * step);
            var curvature = (H(x + step) - (2 * H(x)) + H(x - step)) / (step * step);
            // Derivatives up to the fourth by differences in double.
            Assert.AreEqual(H(x), found["h"].ToDoubles()[i], 1e-5 * Math.Max(1, H(x)));
            Assert.AreEqual(H(x) - (x * slope), found["A"].ToDoubles()[i], 1e-4 * Math.Max(1, H(x)));
            Assert.AreEqual(-x * x * curvature, found["B"].ToDoubles()[i], 1e-3 * Math.Max(1, H(x)));
            Assert.AreEqual(x * slope, found["C"].ToDoubles()[i], 1e-3 * Math.Max(1, H(x)));
        }
    }

    private static JsonObject Level => new() { ["kind"] = "log-normal", ["mean"] = Math.Log(Sigma), ["deviation"] = 1 };

    private static JsonObject Uni(DivergenceKind kind) => new()
    {
        ["divergence"] = Name(kind),
        ["ratio"] = "exact",
        ["ratioBounds"] = new JsonArray(1e-9, 1e9),
        ["weight"] = "integrand",
        ["clip"] = 0,
        ["ganScale"] = 0,
        ["studentNoise"] = Level,
    };

    private static double WithoutOmega(double gradient, Point point) => gradient / 100 * Math.Max(Math.Abs(point.X - point.R), 1e-5);

    private static string Name(DivergenceKind kind) => System.Text.Json.JsonSerializer.Serialize(kind).Trim('"');

    // f of methods.md 3.7, squared Hellinger that of 3.8.
    private static double F(DivergenceKind kind, double rho) => kind switch
    {
        DivergenceKind.ReverseKl => -Math.Log(rho),
        DivergenceKind.ForwardKl => rho * Math.Log(rho),
        DivergenceKind.Jeffreys => (rho - 1) * Math.Log(rho),
        DivergenceKind.JensenShannon => (rho * Math.Log(rho)) - ((rho + 1) * Math.Log((rho + 1) / 2)),
        DivergenceKind.SoftenedReverseKl => (rho + 1) * Math.Log((rho + 1) / (2 * rho)),
        DivergenceKind.SquaredHellinger => Math.Pow(1 - Math.Sqrt(rho), 2),
        DivergenceKind.Neyman => Math.Pow(1 - rho, 2) / rho,
        DivergenceKind.Pearson => Math.Pow(rho - 1, 2),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    // With steps relative to the place: ratios run from 1e-3 to 1e2.
    private static double SecondDerivative(Func<double, double> f, double x)
    {
        var step = 1e-2 * x;
        double At(int i) => f(x + (i * step));
        return (-At(2) + (16 * At(1)) - (30 * At(0)) + (16 * At(-1)) - At(-2)) / (12 * step * step);
    }

    private sealed record Line(double Noisy, double Ratio, double TeacherScore, double Difference);

    private sealed record Point(double X, double R);

    private static double Score(double x, double a, double b) => -(x - b) / ((a * a) + (Sigma * Sigma));

    private static double Normal(double x, double mean, double variance) => Math.Exp(-(x - mean) * (x - mean) / (2 * variance)) / Math.Sqrt(2 * Math.PI * variance);

    // E over the noised student's p_t, by the trapezoidal rule in x_t.
    private static double Expectation(double a, double b, Func<Line, double> value)
    {
        var variance = (a * a) + (Sigma * Sigma);
        const int count = 2001;
        const double end = 9;
        return Enumerable.Range(0, count).Sum(i =>
        {
            var x = b - end + (2 * end * i / (count - 1));
            var p = Normal(x, b, variance);
            var modes = Enumerable.Range(0, 2).Select(k => (V: (Teacher.Stds[k] * Teacher.Stds[k]) + (Sigma * Sigma), M: Teacher.Mean(k)[0], W: Teacher.Weights[k])).ToArray();
            var q = modes.Sum(m => m.W * Normal(x, m.M, m.V));
            var score = modes.Sum(m => m.W * Normal(x, m.M, m.V) * -(x - m.M) / m.V) / q;
            return p * value(new Line(x, q / p, score, Score(x, a, b) - score)) * 2 * end / (count - 1);
        });
    }

    private static (double ByA, double ByB) Derivative(Func<double, double, double> f)
    {
        const double step = 1e-3;
        return ((f(A + step, B) - f(A - step, B)) / (2 * step), (f(A, B + step) - f(A, B - step)) / (2 * step));
    }

    // The gradient of every sample from one run, without what a method multiplies it with; then the chain rule, dx/da = z, dx/db = 1.
    private static (double ByA, double ByB) Gradient(string name, JsonObject options, Func<double, Point, double> unscaled)
    {
        const int batch = Nodes * Nodes;
        var method = DistillationMethods.Create(name, options);
        var (teacher, fake) = (MixtureTeacher.Build(Teacher), MixtureTeacher.Build(new GaussianMixture([1], [[B]], [A])));
        string[] Taps(string role) => [.. method.Taps.Where(t => t.Role == role).Select(t => t.Tensor)];
        var (frozen, teacherFeatures) = teacher.AtBatch(batch, Taps(Roles.Teacher));
        var (score, fakeFeatures) = fake.AtBatch(batch, Taps(Roles.FakeScore));
        var task = new DistillationTask(batch, [1], 0.5, 1, 0)
        {
            Features = new Dictionary<string, IReadOnlyList<Feature>> { [Roles.Teacher] = teacherFeatures, [Roles.FakeScore] = fakeFeatures },
        };

        var samples = new float[batch];
        var noise = new float[batch];
        for (var i = 0; i < batch; i++)
            (samples[i], noise[i]) = ((float)((A * Grid.Points[i / Nodes]) + B), Grid.Points[i % Nodes]);
        var networks = new Dictionary<string, Network> { [Roles.Student] = TestNetworks.Sample(samples, batch), [Roles.FakeScore] = score };
        // The linear map of the tests' networks has a factor 1/(1 + sigma²) of its own.
        var total = (A * A) + (Sigma * Sigma);
        if (method.Auxiliaries.Any(x => x.Role == Roles.Posterior))
            networks[Roles.Posterior] = TestNetworks.Posterior(new LinearDenoiser([A / total * (1 + (Sigma * Sigma))], [-A * B / total]), Sigma / Math.Sqrt(total), batch);
        var graph = TrainingGraph.Build(method.Phases.Single(p => p.Name == Roles.Student), task, frozen, networks);
        var feeds = PhaseRun.FeedsOf(graph.Feeds, networks);
        feeds["epsilon"] = TensorData.Of(noise, batch, 1);
        feeds["z"] = TensorData.Of([.. Enumerable.Range(0, batch).Select(i => Grid.Points[i / Nodes])], batch, 1);
        feeds["sigma_draw"] = TensorData.Of(new float[batch], batch);
        using var session = GraphSession.Create(graph.Model);
        var outputs = session.Run(graph.Model.Graph.Inputs.ToDictionary(i => i.Name, i => feeds[i.Name]));
        var gradient = outputs[TrainingGraph.GradientOutput(Roles.Student, TestNetworks.SampleParameter)].ToDoubles();

        var exact = new MixtureDenoiser(Teacher);
        var (byA, byB) = (0.0, 0.0);
        for (var i = 0; i < batch; i++)
        {
            var (z, weight) = (Grid.Points[i / Nodes], Grid.Weights[i / Nodes] * Grid.Weights[i % Nodes]);
            var r = exact.Denoise([samples[i] + (Sigma * noise[i])], Sigma)[0];
            var g = weight * unscaled(gradient[i] * batch, new Point(samples[i], r));
            (byA, byB) = (byA + (g * z), byB + g);
        }
        return (byA, byB);
    }

    // float32 in the graph, double outside.
    private static void AssertClose((double ByA, double ByB) expected, (double ByA, double ByB) found)
    {
        var scale = Math.Max(Math.Abs(expected.ByA), Math.Abs(expected.ByB));
        Assert.AreEqual(expected.ByA, found.ByA, 1e-3 * scale);
        Assert.AreEqual(expected.ByB, found.ByB, 1e-3 * scale);
    }
}
