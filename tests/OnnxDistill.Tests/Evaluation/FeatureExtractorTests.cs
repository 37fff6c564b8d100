using OnnxDistill.Data;
using OnnxDistill.Data.Images;
using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Evaluation;

[TestClass]
public sealed class FeatureExtractorTests
{
    /// <summary>An extractor that sums what it sees, with its batch fixed at 1 as exporters leave it: pixels in [-1, 1] become ((p + 1) / 2 - mean) / deviation.</summary>
    [TestMethod]
    public void FeaturesSeeCroppedAndScaledPixels()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("sum");
        var image = b.Input("image", ElementType.Float32, Shape.Of(1, 1, 2, 2));
        var inner = b.Mul(image, 2);
        b.Output("total", b.ReduceSum(inner, [1, 2, 3], keepDims: false));
        OnnxWriter.Write(new OnnxModel(b.Graph), files["sum.onnx"]);

        // Two pictures of 4 x 4 whose border must not count.
        var pixels = Enumerable.Range(0, 32).Select(i => i % 16 is 5 or 6 or 9 or 10 ? (i < 16 ? 1f : -0.5f) : 100f).ToArray();
        var input = new FeatureInput { Crop = 1, Mean = [0.5], Deviation = [0.25] };
        using var extractor = new FeatureExtractor(files["sum.onnx"], "", input);
        Assert.AreEqual("sum", extractor.Name);
        var found = extractor.Features(new SampleSet([1, 4, 4], pixels), batch: 1);
        CollectionAssert.AreEqual(new[] { 2 * 4 * 2f, 2 * 4 * -1f }, found.Data);
        CollectionAssert.AreEqual(found.Data, extractor.Features(new SampleSet([1, 4, 4], pixels)).Data);

        using var inside = new FeatureExtractor(files["sum.onnx"], inner.Name, input);
        Expect.Error<RecipeException>(() => new FeatureExtractor(files["sum.onnx"], "pool", input), "'pool'", "inspect");
        Expect.Error<RecipeException>(() => extractor.Features(new SampleSet([1, 5, 5], new float[25])), "sum.onnx", "[1, 2, 2], found [1, 5, 5] less 1 pixels", "--feature-crop");
        Expect.Error<RecipeException>(() => extractor.Features(new SampleSet([3, 4, 4], new float[48])), "[1, 2, 2], found [3, 4, 4]");

        // A data set that has the extractor's size already has no border.
        NpyFile.Write(files["set.npy"], new TensorData(ElementType.UInt8, [1, 2, 2], new byte[] { 255, 255, 255, 255 }));
        using var set = ImageSources.Open(new() { Images = files["set.npy"] });
        CollectionAssert.AreEqual(new[] { 2 * 4 * 2f }, extractor.Features(set).Data);
    }

    /// <summary>A batch of two that is also written into a Reshape: three images go through in two runs, the second filled up.</summary>
    [TestMethod]
    public void ABatchThatIsWrittenIntoTheGraphIsKept()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("fixed");
        var image = b.Input("image", ElementType.Float32, Shape.Of(2, 1, 1, 2));
        b.Output("flat", b.Reshape(image, Shape.Of(2, 2)));
        OnnxWriter.Write(new OnnxModel(b.Graph), files["fixed.onnx"]);
        using var extractor = new FeatureExtractor(files["fixed.onnx"], "", new FeatureInput());
        CollectionAssert.AreEqual(new[] { 0, 0.5f, 1, 0, 0.25f, 0.75f }, extractor.Features(new SampleSet([1, 1, 2], [-1, 0, 1, -1, -0.5f, 0.5f])).Data);
    }

    /// <summary>Each channel has its mean and deviation; a network of colours sees a grey pixel of 0.5 three times.</summary>
    [TestMethod]
    public void ChannelsAreScaledByThemselvesAndGreyIsShownInThree()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("colours");
        b.Output("flat", b.Reshape(b.Input("image", ElementType.Float32, Shape.Of(1, 3, 1, 1)), new Shape([Dim.Named("N"), 3])));
        OnnxWriter.Write(new OnnxModel(b.Graph), files["colours.onnx"]);
        using var extractor = new FeatureExtractor(files["colours.onnx"], "", new FeatureInput { Mean = [0, 0.25, 0.5], Deviation = [0.5, 0.25, 1] });
        CollectionAssert.AreEqual(new[] { 0, 1f, 0.5f }, extractor.Features(new SampleSet([3, 1, 1], [-1, 0, 1])).Data);
        CollectionAssert.AreEqual(new[] { 1f, 1, 0, 2, 3, 0.5f }, extractor.Features(new SampleSet([1, 1, 1], [0, 1])).Data);
    }

    [TestMethod]
    public void WhatTakesNoImagesIsRefused()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("points");
        b.Output("y", b.Mul(b.Input("x", ElementType.Float32, Shape.Of(1, 2)), 2));
        OnnxWriter.Write(new OnnxModel(b.Graph), files["points.onnx"]);
        Expect.Error<RecipeException>(() => new FeatureExtractor(files["points.onnx"], "", new FeatureInput()), "points.onnx", "'x' Float32[1, 2]", "[N, channels, height, width]");
    }

    [TestMethod]
    [DataRow("net.onnx", "net.onnx", "")]
    [DataRow("net.onnx:18", "net.onnx", "18")]
    [DataRow("net.onnx:/pool/Flatten_output_0", "net.onnx", "/pool/Flatten_output_0")]
    [DataRow("net.onnx:pool_3:0", "net.onnx", "pool_3:0")]
    [DataRow("a:b.onnx:x", "a:b.onnx", "x")]
    [DataRow("a:b.onnx", "a:b.onnx", "")]
    public void TheFileEndsWhereOneExists(string word, string path, string tensor)
    {
        if (OperatingSystem.IsWindows() && word.StartsWith("a:", StringComparison.Ordinal))
            Assert.Inconclusive("Windows has no files of such names.");
        using var files = new TestFiles();
        files.Write(path, "x");
        Assert.AreEqual(new FeatureSource(files[path], tensor), FeatureSource.Parse(files.Folder + Path.DirectorySeparatorChar + word));
    }

    [TestMethod]
    [DataRow(@"C:\nets\none.onnx:pool", @"C:\nets\none.onnx", "pool")]
    [DataRow(@"C:\nets\none.onnx", @"C:\nets\none.onnx", "")]
    [DataRow("none.ONNX:a/b", "none.ONNX", "a/b")]
    [DataRow("none", "none", "")]
    public void AFileThatIsMissingEndsWithItsEnding(string word, string path, string tensor) => Assert.AreEqual(new FeatureSource(path, tensor), FeatureSource.Parse(word));
}
