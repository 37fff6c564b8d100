using OnnxDistill.Data;
using OnnxDistill.Evaluation;
using OnnxDistill.Recipes;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;

namespace OnnxDistill.Tests.Evaluation;

/// <summary>Samples against a known mixture, and images by features.</summary>
[TestClass]
public sealed class EvaluatorTests
{
    private const int Count = 1000;

    [TestMethod]
    public void SamplesOfTheMixtureScoreAsRealOnesDo()
    {
        using var files = new TestFiles();
        using var evaluator = Evaluator(files);
        using var sampler = new TeacherSampler(MixtureTeacher.Build(Toys.TwoModes));
        var found = evaluator.Measure(sampler.Sample(Count, 5, new SamplerOptions { Steps = 40 }, batch: 500));
        Assert.AreEqual(2, found["coverage1k.covered"]);
        Assert.IsLessThan(0.01, found["coverage1k.off_mode"]);
        // A second set of real samples of this size is the yardstick; one mode alone scores far more, see below.
        Assert.IsLessThan(2 * found["real.mmd1k.mmd"], found["mmd1k.mmd"]);
        Assert.AreEqual(found["real.logp1k.mean"], found["logp1k.mean"], 6 * found["logp1k.standard_error"]);
        Assert.AreEqual(Count, evaluator.SampleCount);
        Assert.AreEqual(Count, evaluator.Reference?.Count);
    }

    [TestMethod]
    public void AStudentOfOneModeIsSeen()
    {
        using var files = new TestFiles();
        using var evaluator = Evaluator(files);
        var one = OnnxDistill.Evaluation.Evaluator.DrawReference(new GaussianMixture([1], [[-1, 0.5]], [0.3]), Count, seed: 9);
        var found = evaluator.Measure(one);
        Assert.AreEqual(1, found["coverage1k.covered"]);
        Assert.AreEqual(0, found["coverage1k.smallest_ratio"]);
        Assert.IsGreaterThan(5 * found["real.mmd1k.mmd"], found["mmd1k.mmd"]);
    }

    [TestMethod]
    public void NamedMetricsAreTheOnesThatAreMeasured()
    {
        using var files = new TestFiles();
        GaussianMixtureCsv.Write(files["mixture.csv"], Toys.TwoModes);
        using var evaluator = new Evaluator(new EvaluationOptions { Mixture = files["mixture.csv"], Samples = 64, Metrics = ["coverage20"] });
        Assert.AreEqual(20, evaluator.SampleCount);
        var names = evaluator.Measure(OnnxDistill.Evaluation.Evaluator.DrawReference(Toys.TwoModes, 20, seed: 9)).Keys;
        Assert.IsTrue(names.All(n => n.Contains("coverage20", StringComparison.Ordinal)));
        Assert.HasCount(8, names);
    }

    [TestMethod]
    public void WithoutAReferenceNothingIsMeasured()
    {
        using var evaluator = new Evaluator(new EvaluationOptions());
        Assert.AreEqual(0, evaluator.SampleCount);
        Assert.IsEmpty(evaluator.Measure(new SampleSet([2], [0, 0])));
    }

    [TestMethod]
    public void WhatCannotBeMeasuredIsRefusedBeforeTheRun()
    {
        using var files = new TestFiles();
        GaussianMixtureCsv.Write(files["mixture.csv"], Toys.TwoModes);
        var mixture = new EvaluationOptions { Mixture = files["mixture.csv"] };
        Expect.Error<RecipeException>(() => new Evaluator(mixture with { Metrics = ["beauty100"] }), "evaluation.metrics", "beauty100", "mmd");
        Expect.Error<RecipeException>(() => new Evaluator(mixture with { Metrics = ["fd100"] }), "'fd100'", "evaluation.images");
        Expect.Error<RecipeException>(() => new Evaluator(new EvaluationOptions { Metrics = ["logp100"] }), "'logp100'", "evaluation.mixture");
        Expect.Error<RecipeException>(() => new Evaluator(new EvaluationOptions { Images = "a.idx" }), "images without features");
        Expect.Error<RecipeException>(() => new Evaluator(new EvaluationOptions { Features = "a.onnx" }), "features without images");
    }

    private static Evaluator Evaluator(TestFiles files)
    {
        GaussianMixtureCsv.Write(files["mixture.csv"], Toys.TwoModes);
        return new Evaluator(new EvaluationOptions { Mixture = files["mixture.csv"], Samples = Count });
    }
}
