using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Io;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

/// <summary>Models without numbers get random ones at which a check of gradients says something.</summary>
[TestClass]
public sealed class LightModelTests
{
    /// <summary>About a million ReLUs have kinks within the narrowest step that float32 allows, and neighbouring steps share them: slopes of single weights
    /// scatter by a few per cent. A wrong rule shows in every weight before it; the rules themselves are checked to 1e-6, an operator at a time.</summary>
    private const double ToleranceAmongKinks = 0.1;

    [TestMethod]
    public void ASoftmaxBehindLargeActivationsIsNotSaturated()
    {
        var model = Classifier(gain: 30);
        var report = GradientCheck.Run(model, null, new GradientCheckOptions { RandomWeights = true });
        Assert.IsFalse(report.IsFlat);
        Assert.IsTrue(report.Rows.All(static r => r.Verdict == GradientVerdict.Agrees), string.Join("\n", report.Rows));
    }

    [TestMethod]
    public void AModelThroughWhichNothingFlowsIsCalledFlat()
    {
        var b = new GraphBuilder("steps");
        b.Output("y", b.Emit("Floor", [b.Input("x", ElementType.Float32, Shape.Of(2, 3))], ElementType.Float32, Shape.Of(2, 3)));
        Assert.IsTrue(GradientCheck.Run(new OnnxModel(b.Graph)).IsFlat);
    }

    [TestMethod]
    [TestCategory("Slow")]
    [DataRow("squeezenet")]
    [DataRow("shufflenet")]
    public void GradientsOfALightModelAgreeWithDifferences(string name)
    {
        var path = Path.Combine(SharedFiles.Data(), $"onnx-light/light_{name}.onnx");
        if (!File.Exists(path))
            Assert.Inconclusive($"{path} is not there.");
        var report = GradientCheck.Run(OnnxReader.Read(path), null,
            new GradientCheckOptions { RandomWeights = true, Directions = 1, Batch = 1, MostElements = 1000, Tolerance = ToleranceAmongKinks });
        Assert.IsTrue(report.Passed, string.Join("\n", report.Rows.Where(static r => !r.Passed)));
        Assert.IsFalse(report.IsFlat);
    }

    /// <summary>Softmax(gain x W), W given by its shape only.</summary>
    private static OnnxModel Classifier(double gain)
    {
        var b = new GraphBuilder("classifier");
        var x = b.Input("x", ElementType.Float32, Shape.Of(2, 6));
        var w = b.Emit("ConstantOfShape", [b.Longs(6, 64)], ElementType.Float32, Shape.Of(6, 64), ("value", TensorData.Of([1f], 1)));
        b.Output("y", b.Softmax(b.MatMul(b.Mul(x, gain), w)));
        return new OnnxModel(b.Graph);
    }
}
