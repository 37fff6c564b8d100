using OnnxDistill.Data;
using OnnxDistill.Metrics;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Metrics;

[TestClass]
public sealed class MetricCatalogTests
{
    public static IEnumerable<object[]> Cases => MetricCases.All.Select(static metricCase => new object[] { metricCase });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TheKnownValueIsFound(MetricCase metricCase)
    {
        ArgumentNullException.ThrowIfNull(metricCase);
        var result = MetricCatalog.Create(metricCase.Name).Measure(metricCase.Inputs);
        Assert.AreEqual(metricCase.Expected, result[metricCase.Number], metricCase.Tolerance);
    }

    [TestMethod]
    public void EveryFamilyHasACaseAndTheListIsSorted()
    {
        var names = MetricCatalog.All.Select(static family => family.Name).ToArray();
        CollectionAssert.AreEqual(names.Order(StringComparer.Ordinal).ToArray(), names);
        var covered = MetricCases.All.Select(static metricCase => metricCase.Name.TrimEnd([.. "0123456789k"])).Distinct().ToArray();
        CollectionAssert.IsSubsetOf(names, covered);
    }

    [TestMethod]
    [DataRow("fd50k", 50000)]
    [DataRow("mmd1500", 1500)]
    [DataRow("coverage10k", 10000)]
    public void TheNameCarriesTheSampleCount(string name, int count)
    {
        var metric = MetricCatalog.Create(name);
        Assert.AreEqual(name, metric.Name);
        Assert.AreEqual(count, metric.SampleCount);
    }

    [TestMethod]
    [DataRow("fd")]
    [DataRow("fd1")]
    [DataRow("fd-5")]
    [DataRow("fdk")]
    [DataRow("fd3000000k")]
    [DataRow("FD50k")]
    [DataRow("fid50k")]
    public void AnUnknownMetricIsAnErrorThatListsAll(string name) =>
        Expect.Error<ArgumentException>(() => MetricCatalog.Create(name), "accuracy, coverage, fd, is, kid, logp, mmd, pr");

    [TestMethod]
    public void TheNameCarriesTheExtractor()
    {
        Assert.AreEqual("fd50k-mnist-cnn", MetricCatalog.Create("fd50k-mnist-cnn").Name);
        Assert.AreEqual("fd50k-mnist-cnn", MetricCatalog.Create("fd50000", extractor: "mnist-cnn").Name);
        Assert.AreEqual("fd1500-vgg", MetricCatalog.Create("fd", 1500, "vgg").Name);
        Assert.AreEqual("mmd1500", MetricCatalog.Create("mmd", 1500, "vgg").Name);
        Expect.Error<ArgumentException>(static () => MetricCatalog.Create("fd50k-vgg", extractor: "mnist-cnn"), "'vgg', found 'mnist-cnn'");
        Assert.AreEqual("is10k-resnet", MetricCatalog.Create("is10k", 0, "vgg", "resnet").Name);
        Expect.Error<ArgumentException>(static () => MetricCatalog.Create("accuracy10k-vgg", 0, "vgg", "resnet"), "classifier 'vgg', found 'resnet'");
        Expect.Error<ArgumentException>(static () => MetricCatalog.Create("coverage10k-vgg"), "'vgg'", "coverage judges the samples themselves");
        Assert.AreEqual("a-b_2-c", MetricName.ShortName("-a b_2..c "));
    }

    [TestMethod]
    public void ColumnsCarryTheMetricsNameInAFixedOrder()
    {
        var result = new MetricResult("fd50k", ("distance", 3), ("mean_term", 1));
        CollectionAssert.AreEqual(new[] { "fd50k.distance", "fd50k.mean_term" }, result.Values.Keys.ToArray());
        Assert.AreEqual(3, result.Headline);
    }

    [TestMethod]
    public void WhatIsMissingIsNamed()
    {
        var inputs = new MetricInputs(new SampleSet([1], new float[4]));
        foreach (var (name, inMessage) in new[]
        {
            ("mmd4", "mmd4 needs MetricInputs.Reference"),
            ("fd4", "fd4 needs MetricInputs.Statistics"),
            ("logp4", "logp4 needs MetricInputs.Mixture"),
            ("coverage4", "coverage4 needs MetricInputs.Mixture"),
            ("kid4", "kid4 needs MetricInputs.ReferenceFeatures"),
            ("pr4", "pr4 needs MetricInputs.ReferenceFeatures"),
            ("is4", "is4 needs MetricInputs.Classes"),
            ("accuracy4", "accuracy4 needs MetricInputs.Classes"),
        })
        {
            Expect.Error<ArgumentException>(() => MetricCatalog.Create(name).Measure(inputs), inMessage);
        }
    }

    [TestMethod]
    public void TooFewSamplesAreRefusedAndMoreAreCut()
    {
        var mixture = new GaussianMixture([1], [[0]], [1]);
        var inputs = new MetricInputs(new SampleSet([1], [0, 0, 9])) { Mixture = mixture };
        Assert.AreEqual(mixture.LogDensity([0]), MetricCatalog.Create("logp2").Measure(inputs).Headline, 1e-15); // one rounding
        Expect.Error<ArgumentException>(() => MetricCatalog.Create("logp4").Measure(inputs), "needs 4 samples in Samples, found 3");
    }
}
