using System.Text.Json;
using OnnxDistill.Data;
using OnnxDistill.Metrics;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Metrics;

/// <summary>Metrics of features and classes against what tools/make_metric_fixture.py, which shares no line with them, made of the same numbers.</summary>
[TestClass]
public sealed class IndependentMetricTests
{
    // Features are float32 of numbers with two decimals (relative error 3e-8), cubed and averaged.
    private const double FloatRounding = 1e-6;

    private static readonly Lazy<JsonElement> Fixture = new(static () =>
        JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("tests", "OnnxDistill.Tests", "Metrics", "Fixtures", "metrics-seed4.json"))).RootElement);

    private static MetricInputs Inputs => new(Rows("samples"))
    {
        ReferenceFeatures = Rows("reference"),
        Classes = new ClassProbabilities(Rows("logits")),
        Labels = [.. Fixture.Value.GetProperty("labels").EnumerateArray().Select(static l => l.GetInt64())],
    };

    [TestMethod]
    [DataRow("kid40", "distance", "kid")]
    [DataRow("pr40", "precision", "precision")]
    [DataRow("pr40", "recall", "recall")]
    [DataRow("is40", "score", "score")]
    [DataRow("is40", "deviation", "deviation")]
    [DataRow("accuracy40", "accuracy", "accuracy")]
    [DataRow("accuracy40", "confidence", "confidence")]
    public void TheNumberIsThatOfTheOtherComputation(string metric, string number, string key)
    {
        var expected = Fixture.Value.GetProperty(key).GetDouble();
        Assert.IsTrue(expected is > 0.05 and not 1, "a number that tells something");
        Assert.AreEqual(expected, MetricCatalog.Create(metric).Measure(Inputs)[number], FloatRounding);
    }

    [TestMethod]
    public void TheKernelDistanceOfSubsetsIsAboutThatOfAll()
    {
        // 1,200 of each side: 100 subsets of 1,000; two modes a distance of 1 apart in one of four features.
        var random = new TestRandom(3);
        var (x, y) = (random.FloatNormals(1200 * 4), random.FloatNormals(1200 * 4));
        for (var i = 0; i < y.Length; i += 4)
            y[i] += 1;
        var found = MetricCatalog.Create("kid1200").Measure(new MetricInputs(new SampleSet([4], x)) { ReferenceFeatures = new SampleSet([4], y) });
        // E k(x, x') with inner product s = x'x'' / 4: 1 + 3 E s + 3 E s² + E s³, s of independent normals with means m: the mean is |m|²/4, and so on.
        // Subsets of 1,000 out of 1,200 spread less than halves as much as 1,200 themselves: five of their deviations.
        Assert.AreEqual(Exact(0, 0) + Exact(1, 1) - (2 * Exact(0, 1)), found["distance"], 5 * found["deviation"] / Math.Sqrt(0.2));
        Assert.IsTrue(found["deviation"] is > 0 and < 0.1, $"{found["deviation"]}");
        Assert.AreEqual(found["distance"], MetricCatalog.Create("kid1200").Measure(new MetricInputs(new SampleSet([4], x)) { ReferenceFeatures = new SampleSet([4], y) })["distance"]);
    }

    [TestMethod]
    public void ProbabilitiesAndTheirLogarithmsAreTheSameClasses()
    {
        float[] rows = [0.5f, 0.25f, 0.25f, 0, 1, 0];
        var plain = new ClassProbabilities(new SampleSet([3], rows));
        var logarithms = new ClassProbabilities(new SampleSet([3], Array.ConvertAll(rows, MathF.Log)));
        for (var i = 0; i < 2; i++)
        {
            Assert.AreEqual(plain.Best(i), logarithms.Best(i));
            for (var c = 0; c < 3; c++)
                Assert.AreEqual(plain[i][c], logarithms[i][c], 1e-7, "float32 logarithms");
        }
        Expect.Error<ArgumentException>(static () => new ClassProbabilities(new SampleSet([1], [1, 1])), "at least two classes", "found 1");
    }

    // With means a and b in the first feature and unit variances, x = a + n, y = b + m: s = x'y / 4.
    private static double Exact(double a, double b)
    {
        // First feature: E xy = ab, E (xy)² = (1 + a²)(1 + b²), E (xy)³ = (a³ + 3a)(b³ + 3b); the three others: 0, 1, 0 each.
        var (first, second, third) = (a * b, (1 + (a * a)) * (1 + (b * b)), ((a * a * a) + (3 * a)) * ((b * b * b) + (3 * b)));
        var (e1, e2, e3) = (first, second + 3, third + (3 * first * 3));
        return 1 + (3 * e1 / 4) + (3 * e2 / 16) + (e3 / 64);
    }

    private static SampleSet Rows(string key)
    {
        var rows = Fixture.Value.GetProperty(key).EnumerateArray().Select(static r => r.EnumerateArray().Select(static v => v.GetSingle()).ToArray()).ToArray();
        return new SampleSet([rows[0].Length], [.. rows.SelectMany(static r => r)]);
    }
}
