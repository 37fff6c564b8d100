using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

[TestClass]
public sealed class MatrixWorkTests
{
    [TestMethod]
    public void AProductCountsTwoForEachTerm()
    {
        Assert.AreEqual(2.0 * 7 * 2 * 3 * 5, Count(b => b.MatMul(Input(b, "a", 7, 2, 3), Input(b, "w", 3, 5))));
        Assert.AreEqual(2.0 * 2 * 3 * 5, Count(b => b.Gemm(Input(b, "a", 3, 2), Input(b, "w", 5, 3), transposeA: true, transposeB: true)));
    }

    [TestMethod]
    public void AConvolutionCountsItsFilterAtEachPlace()
    {
        // Two groups of two channels, 3x3, stride 2: [1, 4, 9, 9] to [1, 6, 4, 4].
        var options = new ConvOptions { Group = 2, Strides = [2, 2] };
        Assert.AreEqual(2.0 * 6 * 4 * 4 * (2 * 3 * 3), Count(b => b.Conv(Input(b, "x", 1, 4, 9, 9), Input(b, "w", 6, 2, 3, 3), null, options)));
        // The transposed one back from there does the same products.
        Assert.AreEqual(2.0 * 6 * 4 * 4 * (2 * 3 * 3), Count(b => b.ConvTranspose(Input(b, "x", 1, 6, 4, 4), Input(b, "w", 6, 2, 3, 3), options, [0, 0])));
    }

    [TestMethod]
    [DataRow(GradientTarget.Cpu)]
    [DataRow(GradientTarget.Gpu)]
    public void BothGradientsOfAConvolutionCountAsMuchAsItselfEach(GradientTarget target)
    {
        Value Forward(GraphBuilder b) => b.Conv(Input(b, "x", 3, 8, 6, 6), Input(b, "w", 5, 8, 3, 3), null, new ConvOptions { Pads = [1, 1, 1, 1] });
        var forward = Count(Forward);
        Assert.AreEqual(3 * forward, Count(b =>
        {
            var loss = b.ReduceSum(Forward(b), keepDims: false);
            var gradients = Differentiator.Gradients(b, loss, [.. b.Graph.Inputs], target);
            b.Output("dx", gradients[0]!); // both lead to the loss
            return gradients[1]!;
        }));
    }

    private static Value Input(GraphBuilder b, string name, params long[] dims) => b.Input(name, ElementType.Float32, Shape.Of(dims));

    private static double Count(Func<GraphBuilder, Value> emit)
    {
        var b = new GraphBuilder("work");
        b.Output("y", emit(b));
        return MatrixWork.Flops(b.Graph);
    }
}
