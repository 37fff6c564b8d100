using OnnxDistill.Graph;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Importing;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Gradients;

/// <summary>What is not differentiated is refused with a reason that names the cure, and never passes as a gradient of zero.</summary>
[TestClass]
public sealed class RefusalTests
{
    [TestMethod]
    [DataRow("LSTM", "unrolled")]
    [DataRow("GRU", "unrolled")]
    [DataRow("RNN", "unrolled")]
    [DataRow("DFT", "MatMul")]
    [DataRow("STFT", "MatMul")]
    [DataRow("MaxRoiPool", "no gradient rule")]
    public void OperatorsWithoutRuleAreNamedWithTheCure(string op, string cure)
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", ElementType.Float32, Shape.Of(2, 3));
        var y = builder.Emit(op, [x, x, x], ElementType.Float32, Shape.Of(2, 3));
        var error = Assert.ThrowsExactly<UnsupportedOpException>(() => Differentiator.Gradients(builder, builder.ReduceSum(y, keepDims: false), [x]));
        Assert.Contains(op, error.Message);
        Assert.Contains(cure, error.Message);
    }

    [TestMethod]
    public void QuantisedNumbersOnThePathAreRefusedInsteadOfGivingZero()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", ElementType.Float32, Shape.Of(2, 2));
        var quantised = builder.EmitMany("DynamicQuantizeLinear", [x],
            [(ElementType.UInt8, Shape.Of(2, 2)), (ElementType.Float32, Shape.Scalar), (ElementType.UInt8, Shape.Scalar)]);
        var product = builder.Emit("MatMulInteger", [quantised[0], quantised[0], quantised[2], quantised[2]], ElementType.Int32, Shape.Of(2, 2));
        var y = builder.ReduceSum(builder.Cast(product, ElementType.Float32), keepDims: false);
        var error = Assert.ThrowsExactly<UnsupportedOpException>(() => Differentiator.Gradients(builder, y, [x]));
        Assert.Contains("DynamicQuantizeLinear", error.Message);
        Assert.Contains("MatMulInteger", error.Message);
        Assert.Contains("float32", error.Message);
    }

    [TestMethod]
    public void TheReportOfARawGraphGivesTheSameReasons()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", ElementType.Float32, Shape.Of(2, 3, 4));
        builder.Emit("LSTM", [x, x, x], ElementType.Float32, null);
        Assert.Contains("unrolled", RawCoverage.Of(new OnnxModel(builder.Graph)).Describe());
    }
}
