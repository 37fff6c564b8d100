using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Repository;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

/// <summary>Whole networks against PyTorch: gradients with respect to inputs and every weight, which tools/make_gradient_fixtures.py had
/// computed in float64. Here they are computed in float32 by the graph that OnnxDistill generates.</summary>
[TestClass]
public sealed class WholeNetworkTests
{
    /// <summary>Relative error of a tensor, in norm. Seen: 2e-6, and 2e-5 for biases before a batch
    /// normalisation in training mode, whose gradient is the rounding of a sum that is zero.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>A tensor is not asked for more than this part of the length of all gradients together: that of a bias before a
    /// normalisation is zero but for rounding.</summary>
    private const double LeastPart = 1e-3;

    private const string InputPath = "input/", CotangentPath = "cotangent/", OutputPath = "output/", GradientPath = "gradient/";

    public static IEnumerable<object[]> Names => Directory.GetFiles(Folder, "*.onnx").Select(static f => new object[] { Path.GetFileNameWithoutExtension(f) })
        .OrderBy(static n => (string)n[0], StringComparer.Ordinal);

    private static string Folder => RepositoryRoot.Of("tests/OnnxDistill.Tests/Gradients/Fixtures");

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void GradientsEqualThoseOfPyTorch(string name)
    {
        var arrays = NpzFile.Read(Path.Combine(Folder, $"{name}.npz"));
        var feeds = Under(arrays, InputPath);
        var expected = Under(arrays, GradientPath);
        var prepared = CheckedModel.Prepare(OnnxReader.Read(Path.Combine(Folder, $"{name}.onnx")), feeds, new GradientCheckOptions());
        var graph = prepared.Graph;
        // Training mode of BatchNormalization: the running statistics come out too.
        graph.Outputs.RemoveAll(o => !arrays.ContainsKey(OutputPath + o.Name));
        var weights = expected.Keys.Where(k => !feeds.ContainsKey(k)).ToList();
        Assert.IsGreaterThan(5, weights.Count);
        CollectionAssert.IsSubsetOf(weights, graph.Initializers.Select(static i => i.Name).ToList());

        using var program = new GradientProgram(graph, weights, new DeviceOptions());
        var point = feeds.Concat(weights.Select(w => KeyValuePair.Create(w, graph.Initializers.Single(i => i.Name == w).Constant!))).ToDictionary();
        var cotangents = Under(arrays, CotangentPath).ToDictionary(static c => GradientProgram.CotangentOf(c.Key), static c => c.Value);
        AssertOutput(program.Scalar(point, cotangents), arrays);
        AssertGradients(expected, program.Gradients(point, cotangents));
    }

    [TestMethod]
    public void FixturesAreThere() => Assert.IsGreaterThanOrEqualTo(10, Names.Count());

    private static void AssertOutput(double actual, OrderedDictionary<string, TensorData> arrays)
    {
        var (y, c) = (arrays[OutputPath + "y"].ToDoubles(), arrays[CotangentPath + "y"].ToDoubles());
        // A sum of terms of either sign: measured against the length of its terms.
        Assert.AreEqual(y.Zip(c, static (a, b) => a * b).Sum(), actual, Tolerance * Norm(y) * Norm(c), "the network's output");
    }

    private static void AssertGradients(Dictionary<string, TensorData> expected, IReadOnlyDictionary<string, TensorData> actual)
    {
        var all = Norm(expected.Values.SelectMany(static e => e.ToDoubles()));
        var wrong = new List<string>();
        foreach (var (name, tensor) in expected)
        {
            var want = tensor.ToDoubles();
            // One that is left out is zero by the graph's structure.
            var have = actual.TryGetValue(name, out var given) ? given.ToDoubles() : new double[want.Length];
            Assert.HasCount(want.Length, have, name);
            var error = Norm(want.Zip(have, static (a, b) => a - b)) / Math.Max(Norm(want), LeastPart * all);
            if (!(error <= Tolerance))
                wrong.Add($"{name}: relative error {error:E2}, length {Norm(have):G6} instead of {Norm(want):G6}");
        }
        Assert.AreEqual("", string.Join("\n", wrong));
    }

    private static Dictionary<string, TensorData> Under(OrderedDictionary<string, TensorData> arrays, string path) =>
        arrays.Where(a => a.Key.StartsWith(path, StringComparison.Ordinal)).ToDictionary(a => a.Key[path.Length..], static a => a.Value);

    private static double Norm(IEnumerable<double> numbers) => Math.Sqrt(numbers.Sum(static n => n * n));
}
