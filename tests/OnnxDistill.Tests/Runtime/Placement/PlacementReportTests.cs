using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Placement;

namespace OnnxDistill.Tests.Runtime.Placement;

/// <summary>ONNX Runtime's rules for kernels, on nodes whose answer the table gives.</summary>
[TestClass]
public sealed class PlacementReportTests
{
    [TestMethod]
    [DataRow("ConvTranspose", 11, true)]
    [DataRow("ConvTranspose", 18, true, DisplayName = "the open row 11+ serves opset 18, where the operator is still of version 11")]
    [DataRow("ConvTranspose", 22, false, DisplayName = "an open row serves its own version only")]
    [DataRow("AveragePool", 18, true, DisplayName = "the closed row 11 to 18")]
    [DataRow("Mish", 18, false)]
    [DataRow("Add", 7, true)]
    public void AKernelServesVersionsByTheRule(string op, int opset, bool expected) =>
        Assert.AreEqual(expected, PlacementReport.OfCuda(Unary(op, ElementType.Float32, opset)).IsComplete);

    [TestMethod]
    [DataRow("Relu", ElementType.Float16, true)]
    [DataRow("Relu", ElementType.BFloat16, true)]
    [DataRow("Conv", ElementType.BFloat16, false, DisplayName = "why training.precision refuses bf16")]
    [DataRow("Conv", ElementType.Float16, true)]
    [DataRow("Sin", ElementType.BFloat16, false)]
    [DataRow("ReduceL2", ElementType.Int64, false)]
    public void AKernelServesTypesOfItsRow(string op, ElementType type, bool expected) =>
        Assert.AreEqual(expected, PlacementReport.OfCuda(Unary(op, type, 18)).IsComplete);

    [TestMethod]
    public void MissingKernelsAreToldTogetherWithNodesAndReasons()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(2));
        var y = x;
        for (var i = 0; i < 5; i++)
            y = b.Emit("Atan", [y], ElementType.Float32, x.Shape);
        b.Output("y", b.Emit("Sin", [b.Cast(y, ElementType.BFloat16)], ElementType.BFloat16, x.Shape));
        var report = PlacementReport.OfCuda(new OnnxModel(b.Graph));
        Assert.HasCount(6, report.Missing);
        Assert.AreEqual(7, report.Nodes);
        Assert.AreEqual("Atan: no CUDA kernel; 5 node(s): 'Atan', 'Atan_1', 'Atan_2', ...\nSin: no CUDA kernel for BFloat16; 1 node(s): 'Sin'", report.Describe());
    }

    private static OnnxModel Unary(string op, ElementType type, int opset)
    {
        var b = new GraphBuilder();
        b.Output("y", b.Emit(op, [b.Input("x", type, Shape.Of(1, 1, 2, 2))], type, Shape.Of(1, 1, 2, 2)));
        var model = new OnnxModel(b.Graph);
        model.Opsets[""] = opset;
        return model;
    }
}
