using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Data.Images;
using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Metrics;
using OnnxDistill.Recipes;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Evaluation;

/// <summary>Images against images or their statistics, by features.</summary>
[TestClass]
public sealed class ImageEvaluationTests
{
    // The features are floats: a few of their roundings at numbers of that size.
    private const double Rounding = 1e-5;

    /// <summary>Features are the pixels in [0, 1]; samples 0 1 / 1 0 have means 1/2, variances 1/2, covariance -1/2.</summary>
    [TestMethod]
    public void SamplesAreMeasuredAgainstStatisticsUnderTheExtractorsName()
    {
        using var files = new TestFiles();
        Pixels(files);
        // Of the eigenvalues 0 and 1 of the samples, 1 belongs to (1, -1), where the reference has 4: (2 - 1)^2 and 4 for the other direction.
        StatisticsFile.Write(files["s.npz"], new ReferenceStatistics(9, [0.5, 3.5], [4, 0, 0, 4]));
        var options = new EvaluationOptions { Images = files["s.npz"], Features = files["pixels.onnx"], Samples = 2 };
        using var evaluator = new Evaluator(options);
        Assert.AreEqual(2, evaluator.SampleCount);
        var found = evaluator.Measure(new SampleSet([1, 1, 2], [-1, 1, 1, -1]));
        CollectionAssert.AreEqual(new[] { "fd2-pixels.covariance_term", "fd2-pixels.distance", "fd2-pixels.mean_term" }, found.Keys.ToArray());
        Assert.AreEqual(9, found["fd2-pixels.mean_term"], Rounding);
        Assert.AreEqual(5, found["fd2-pixels.covariance_term"], Rounding);

        using var named = new Evaluator(options with { FeatureName = "raw-pixels", Metrics = ["fd", "fd3", "fd1k-raw-pixels"] });
        CollectionAssert.AreEqual(new[] { "fd2-raw-pixels", "fd3-raw-pixels", "fd1k-raw-pixels" }, named.Options.Metrics.Select(m => MetricCatalog.Create(m, 2, "raw-pixels").Name).ToArray());
        Assert.AreEqual(1000, named.SampleCount);
    }

    [TestMethod]
    public void AFileStatesItsExtractorsName()
    {
        using var files = new TestFiles();
        Pixels(files, "Incep tion_v3.fid");
        using var extractor = new FeatureExtractor(files["pixels.onnx"], "", new FeatureInput());
        Assert.AreEqual("Incep-tion_v3-fid", extractor.Name);
    }

    [TestMethod]
    public void ImagesStandInForSamplesAndForTheReference()
    {
        using var files = new TestFiles();
        Pixels(files);
        NpyFile.Write(files["set.npy"], new TensorData(ElementType.UInt8, [4, 1, 2], new byte[] { 0, 255, 255, 0, 0, 255, 255, 0 }));
        using var evaluator = new Evaluator(new EvaluationOptions { Images = files["set.npy"], Features = files["pixels.onnx"], Samples = 4 });
        Assert.AreEqual(new ReferenceStatistics(4, evaluator.Statistics!.Mean, evaluator.Statistics.Covariance), evaluator.Statistics);
        CollectionAssert.AreEqual(new[] { 0.5, 0.5 }, evaluator.Statistics.Mean);
        using var same = ImageSources.Open(new() { Images = files["set.npy"] });
        // The root of a zero eigenvalue loses half the digits.
        Assert.AreEqual(0, evaluator.Measure(same)["fd4-pixels.distance"], 1e-7);
        NpyFile.Write(files["few.npy"], new TensorData(ElementType.UInt8, [1, 1, 2], new byte[2]));
        using var few = ImageSources.Open(new() { Images = files["few.npy"] });
        Expect.Error<RecipeException>(() => evaluator.Measure(few), "need 4 samples, found 1", "--count");
        Expect.Error<RecipeException>(() => evaluator.Measure(new SampleSet([1, 1, 2], [0, 0])), "need 4 samples, found 1");
    }

    [TestMethod]
    public void FeaturesOfTheReferencesImagesAndAClassifierGiveTheOtherMetrics()
    {
        using var files = new TestFiles();
        Pixels(files);
        NpyFile.Write(files["set.npy"], new TensorData(ElementType.UInt8, [4, 1, 2], new byte[] { 0, 255, 255, 0, 0, 255, 255, 0 }));
        var options = new EvaluationOptions
        {
            Samples = 4,
            Images = files["set.npy"],
            Features = files["pixels.onnx"],
            Classifier = files["pixels.onnx"],
            ClassifierName = "eye",
            Metrics = ["kid", "pr", "is", "accuracy"],
        };
        using var evaluator = new Evaluator(options);
        float[] pixels = [-1, 1, 1, -1, -1, 1, 1, -1];
        var found = evaluator.Measure(new SampleSet([1, 1, 2], pixels) { Labels = [1, 0, 1, 1] });
        // Kernels of features 01 and 10: (1/2 + 1)^3 with the same, 1 with the other. Of each, one of three others is the same, across every second one.
        Assert.AreEqual((2 * ((1.5 * 1.5 * 1.5) + 2) / 3) - (1.5 * 1.5 * 1.5) - 1, found["kid4-pixels.distance"], Rounding);
        Assert.AreEqual(1, found["pr4-pixels.precision"]);
        Assert.AreEqual(1, found["pr4-pixels.recall"]);
        Assert.AreEqual(1, found["is4-eye.score"], Rounding);
        Assert.AreEqual(0.75, found["accuracy4-eye.accuracy"]);
        Expect.Error<RecipeException>(() => evaluator.Measure(new SampleSet([1, 1, 2], pixels)), "accuracy4-eye needs samples of known classes");

        // Nothing asked for by name: what there is. Classes alone need no reference.
        using var alone = new Evaluator(options with { Images = "", Features = "", Metrics = [] });
        CollectionAssert.AreEqual(new[] { "is4-eye.deviation", "is4-eye.score" }, alone.Measure(new SampleSet([1, 1, 2], pixels)).Keys.ToArray());
        Assert.AreEqual(1, alone.Measure(new SampleSet([1, 1, 2], pixels) { Labels = [1, 0, 1, 0] })["accuracy4-eye.accuracy"]);
        StatisticsFile.Write(files["s.npz"], new ReferenceStatistics(9, [0.5, 3.5], [4, 0, 0, 4]));
        Expect.Error<RecipeException>(() => new Evaluator(options with { Images = files["s.npz"] }), "'kid' needs the reference's images, found their statistics", "s.npz");
        Expect.Error<RecipeException>(() => new Evaluator(options with { Classifier = "" }), "'is' needs evaluation.classifier");
        Expect.Error<RecipeException>(() => new Evaluator(options with { Classifier = files["none.onnx"] }), "none.onnx", "evaluation.classifier");
        Expect.Error<RecipeException>(() => new Evaluator(options with { ClassifierName = "my eye" }), "evaluation.classifierName", "'my-eye'");
    }

    /// <summary>Counted by a loop of its own in Node.js, batch 1: 9,907 of 10,000, and 987 of the first 1,000, the 98.7 % of shared/data/README.md.</summary>
    [TestMethod]
    public void RealDigitsAreOfTheirClasses()
    {
        using var evaluator = new Evaluator(new EvaluationOptions
        {
            Samples = 10_000,
            Classifier = TestFiles.Shared("classifiers/mnist-cnn-pytorch.onnx"),
            FeatureInput = new FeatureInput { Mean = [0.1307], Deviation = [0.3081] },
        });
        using var digits = ImageSources.Open(new() { Images = TestFiles.Shared("mnist/t10k-images-idx3-ubyte.gz"), Labels = TestFiles.Shared("mnist/t10k-labels-idx1-ubyte.gz") });
        var found = evaluator.Measure(digits);
        Assert.AreEqual(0.9907, found["accuracy10k-mnist-cnn-pytorch.accuracy"]);
        // Ten classes, told apart almost surely.
        Assert.IsTrue(found["is10k-mnist-cnn-pytorch.score"] is > 9 and < 10);
    }

    [TestMethod]
    public void WhatDoesNotFitIsRefused()
    {
        using var files = new TestFiles();
        Pixels(files);
        StatisticsFile.Write(files["s.npz"], new ReferenceStatistics(9, [0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0, 1]));
        var options = new EvaluationOptions { Images = files["s.npz"], Features = files["pixels.onnx"], Samples = 2 };
        using var evaluator = new Evaluator(options);
        Expect.Error<RecipeException>(() => evaluator.Measure(new SampleSet([1, 1, 2], new float[4])), "s.npz", "statistics of 3 features", "gives 2", "--features");
        Expect.Error<RecipeException>(() => new Evaluator(options with { Metrics = ["fd2-inception"] }), "'inception', found 'pixels'");
        Expect.Error<RecipeException>(() => new Evaluator(options with { FeatureName = "my name" }), "evaluation.featureName", "'my-name'");
        Expect.Error<RecipeException>(() => new Evaluator(options with { FeatureInput = new() { Deviation = [1, 0, 1] } }), "featureInput.deviation: found [1, 0, 1]", "over 0");
        Expect.Error<RecipeException>(() => new Evaluator(options with { FeatureInput = new() { Mean = [1, 0] } }), "featureInput.mean: found [1, 0]", "one a channel");
        Expect.Error<RecipeException>(() => new Evaluator(options with { FeatureInput = new() { Mean = [1, 0, 1] } }), "takes 1 channels", "3 means");
        Expect.Error<RecipeException>(() => new Evaluator(options with { Images = files["none.npz"] }), "none.npz", "evaluation.images");
    }

    [TestMethod]
    public void ARecipeGivesOneNumberOrOneAChannel()
    {
        var read = RecipeJson.Read<FeatureInput>(JsonNode.Parse("""{ "mean": 0.5, "deviation": [1, 2, 3] }""")!.AsObject(), "featureInput");
        CollectionAssert.AreEqual(new[] { 0.5 }, read.Mean);
        CollectionAssert.AreEqual(new double[] { 1, 2, 3 }, read.Deviation);
        Expect.Error<RecipeException>(static () => RecipeJson.Read<FeatureInput>(JsonNode.Parse("""{ "mean": "no", "deviation": [] }""")!.AsObject(), "f"),
            "f.mean: found \"no\", expected a list", "each entry a number");
        Expect.Error<RecipeException>(static () => RecipeJson.Read<FeatureInput>(JsonNode.Parse("""{ "deviation": [1, 0, 1] }""")!.AsObject(), "f"), "f: deviation: found [1, 0, 1]", "over 0");
    }

    [TestMethod]
    public void SomeOfASetAreDrawnBySeedEachOnce()
    {
        var chosen = Evaluator.Choose(1000, 300, seed: 3);
        Assert.HasCount(300, chosen.Distinct());
        CollectionAssert.AreEqual(chosen.Order().ToArray(), chosen);
        Assert.IsTrue(chosen[0] >= 0 && chosen[^1] < 1000);
        CollectionAssert.AreEqual(chosen, Evaluator.Choose(1000, 300, seed: 3));
        CollectionAssert.AreNotEqual(chosen, Evaluator.Choose(1000, 300, seed: 4));
        CollectionAssert.AreEqual(Enumerable.Range(0, 10).ToArray(), Evaluator.Choose(10, 10, seed: 5));
        // A third of 1000, of each half about 150; six standard deviations of a draw without replacement.
        Assert.AreEqual(150, chosen.Count(static i => i < 500), 6 * Math.Sqrt(300 * 0.25 * 0.7));
    }

    /// <summary>The numbers of shared/data/README.md, which other code computed: 0.72 for the first 10,000 training digits, 2.79 for the first 1,000.</summary>
    [TestMethod]
    [DataRow(10_000, 0.72)]
    [DataRow(1_000, 2.79)]
    public void RealDigitsAreAsFarApartAsOtherCodeFound(int count, double distance)
    {
        using var evaluator = new Evaluator(new EvaluationOptions
        {
            Samples = count,
            Images = TestFiles.Shared("mnist/t10k-images-idx3-ubyte.gz"),
            Features = TestFiles.Shared("classifiers/mnist-cnn-pytorch.onnx"),
            FeatureTensor = "18",
            FeatureInput = new FeatureInput { Mean = [0.1307], Deviation = [0.3081] },
        });
        var digits = IdxFile.ReadImages(TestFiles.Shared("mnist/train-images-idx3-ubyte.gz")).Take(count);
        // The page gives two decimals.
        Assert.AreEqual(distance, evaluator.Measure(digits)[$"fd{count / 1000}k-mnist-cnn-pytorch.distance"], 0.005);
    }

    private static void Pixels(TestFiles files, string? name = null)
    {
        var b = new GraphBuilder("pixels");
        b.Output("flat", b.Reshape(b.Input("image", ElementType.Float32, new Shape([Dim.Named("N"), 1, 1, 2])), new Shape([Dim.Named("N"), 2])));
        var model = new OnnxModel(b.Graph);
        if (name is not null)
            model.Metadata[FeatureExtractor.NameKey] = name;
        OnnxWriter.Write(model, files["pixels.onnx"]);
    }
}
