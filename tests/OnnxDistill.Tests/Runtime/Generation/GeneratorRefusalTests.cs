using OnnxDistill.Graph;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Runtime.Generation;

/// <summary>What an app does wrong is said in words.</summary>
[TestClass]
public sealed class GeneratorRefusalTests
{
    [TestMethod]
    public void ATeacherIsNoGenerator()
    {
        var message = Assert.ThrowsExactly<ModelFileException>(() => OneStepGenerator.Load(RepositoryRoot.Of("models", "ring8", "learned.onnx"))).Message;
        foreach (var part in new[] { "learned.onnx", "no one-step generator", "'z'", "sigma", "onnxdistill export", "onnxdistill distill" })
            StringAssert.Contains(message, part);
    }

    [TestMethod]
    public void AFileThatIsMissingOrBrokenIsNamed()
    {
        using var files = new TestFiles();
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => OneStepGenerator.Load(files["none.onnx"])).Message, "none.onnx");
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => OneStepGenerator.Load(files.Write("broken.onnx", "no model"))).Message, "broken.onnx");
    }

    [TestMethod]
    [DataRow("0")]
    [DataRow("many")]
    public void TheNumberOfClassesHasToFitTheInputs(string labels)
    {
        var model = GeneratorFiles.Images(1, 3, asBytes: false);
        model.Metadata["onnxdistill.labels"] = labels;
        var message = Assert.ThrowsExactly<ModelFileException>(() => GeneratorFiles.Load(model)).Message;
        StringAssert.Contains(message, "1 or more with an input 'label'");
        StringAssert.Contains(message, $"found '{labels}'");
    }

    [TestMethod]
    public void ALabelThatIsNoneIsRefusedWithTheRange()
    {
        using var digits = GeneratorFiles.Load(GeneratorFiles.Images(1, 3, asBytes: false));
        foreach (var label in new long[] { -1, 3 })
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => digits.Sample(1, 0, label)).Message, "0 to 2");
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => digits.Sample([new GeneratorRequest(0, label)])).Message, "0 to 2");
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => digits.Generate(new float[6], [label], new byte[6])).Message, "0 to 2");
        }
        using var plain = GeneratorFiles.Load(GeneratorFiles.Images(1, 0, asBytes: false));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => plain.Sample(1, 0, 0)).Message, "no classes");
        Assert.AreEqual(6, plain.Sample([new GeneratorRequest(1)]).Pixels.Length);
    }

    [TestMethod]
    public void CountsAndLengthsHaveToFit()
    {
        using var generator = GeneratorFiles.Load(GeneratorFiles.Images(1, 3, asBytes: false));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => generator.Sample(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => generator.Sample([]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => generator.SampleNumbers(-1));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => generator.Sample(int.MaxValue)).Message, "at most");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => generator.Sample(new byte[7])).Message, "multiple of 6");
        Assert.ThrowsExactly<ArgumentException>(() => generator.Sample(Span<byte>.Empty));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => generator.Sample([new GeneratorRequest(0)], new byte[12])).Message, "1 requests, expected 2");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => generator.Generate(new float[6], [], new byte[12])).Message, "expected 12");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => generator.Generate(new float[12], [1], new byte[12])).Message, "1 labels, expected 2");
    }

    [TestMethod]
    public void PointsAreNoImages()
    {
        using var generator = GeneratorFiles.Load(GeneratorFiles.Points());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => generator.Sample(1)).Message, "SampleNumbers");
        Assert.ThrowsExactly<InvalidOperationException>(() => generator.Sample(new byte[2]));
        Assert.ThrowsExactly<InvalidOperationException>(() => generator.Width);
    }
}
