using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.MixedPrecision;

namespace OnnxDistill.Graph.Tests.Passes;

/// <summary>What the fp16 pass turns and what it leaves; that the numbers are the float32 graph's but for rounding is tested on ONNX Runtime.</summary>
[TestClass]
public sealed class HalfPrecisionTests
{
    [TestMethod]
    public void ProductsAndWhatLiesBetweenThemRunInFloat16WithOneCastAValue()
    {
        var b = new GraphBuilder();
        var (x, w) = (b.Input("x", ElementType.Float32, Shape.Of(4, 4)), b.Input("w", ElementType.Float32, Shape.Of(4, 4)));
        var hidden = b.Relu(b.MatMul(x, w));
        b.Output("y", b.MatMul(b.Add(b.Mul(hidden, 0.5), hidden), w));
        // In: x and w; w's cast serves both products. Out: y.
        Assert.AreEqual("Cast:Float16 Cast:Float16 MatMul:Float16 Relu:Float16 Mul:Float16 Add:Float16 MatMul:Float16 Cast:Float32", Turned(b));
    }

    [TestMethod]
    public void ReductionsExponentialsAndNormalisationsStayFloat32()
    {
        var b = new GraphBuilder();
        var (x, w) = (b.Input("x", ElementType.Float32, Shape.Of(4, 4)), b.Input("w", ElementType.Float32, Shape.Of(4, 4)));
        b.Output("y", b.MatMul(b.Softmax(b.MatMul(x, w), 1), w));
        b.Output("norm", b.ReduceSum(b.Exp(x)));
        Assert.AreEqual("Cast:Float16 Cast:Float16 MatMul:Float16 Cast:Float32 Softmax:Float32 Cast:Float16 MatMul:Float16 Cast:Float32 Exp:Float32 ReduceSum:Float32", Turned(b));
    }

    /// <summary>EDM's preconditioning, c_skip x + c_out F(c_in x): F alone is float16 (methods.md, trap 12).</summary>
    [TestMethod]
    public void WhatMeetsAFloat32ValueStaysFloat32()
    {
        var b = new GraphBuilder();
        var (x, w, scale) = (b.Input("x", ElementType.Float32, Shape.Of(4, 4)), b.Input("w", ElementType.Float32, Shape.Of(4, 4)), b.Input("c", ElementType.Float32, Shape.Of(4, 1)));
        var inner = b.MatMul(b.Mul(x, scale), w);
        b.Output("y", b.Add(b.Mul(x, scale), b.Mul(inner, scale)));
        Assert.AreEqual("Mul:Float32 Cast:Float16 Cast:Float16 MatMul:Float16 Cast:Float32 Mul:Float32 Mul:Float32 Add:Float32", Turned(b));
    }

    [TestMethod]
    public void MovesBeforeAProductMoveFloat16()
    {
        var b = new GraphBuilder();
        var (x, w) = (b.Input("x", ElementType.Float32, Shape.Of(4, 4)), b.Input("w", ElementType.Float32, Shape.Of(8, 2)));
        b.Output("y", b.MatMul(x, b.Reshape(b.Transpose(w, 1, 0), Shape.Of(4, 4))));
        Assert.AreEqual("Cast:Float16 Transpose:Float16 Reshape:Float16 Cast:Float16 MatMul:Float16 Cast:Float32", Turned(b));
    }

    [TestMethod]
    [DataRow(-1e9, "Float32", DisplayName = "a mask would become infinite")]
    [DataRow(1e-6, "Float32", DisplayName = "an epsilon would lose its digits")]
    [DataRow(0.0, "Float16")]
    [DataRow(65504.0, "Float16")]
    public void ConstantsThatFloat16DoesNotHoldKeepTheirNodeInFloat32(double constant, string type)
    {
        var b = new GraphBuilder();
        var (x, w) = (b.Input("x", ElementType.Float32, Shape.Of(4, 4)), b.Input("w", ElementType.Float32, Shape.Of(4, 4)));
        b.Output("y", b.Emit("Max", [b.MatMul(x, w), b.Scalar(constant)], ElementType.Float32, Shape.Of(4, 4)));
        StringAssert.Contains(Turned(b), $"Max:{type}");
    }

    [TestMethod]
    public void FrozenWeightsBecomeFloat16Constants()
    {
        var b = new GraphBuilder();
        var w = b.Initializer("w", TensorData.Of([1f / 3, 1e-9f, -2, 70], 2, 2));
        b.Output("y", b.MatMul(b.Input("x", ElementType.Float32, Shape.Of(2, 2)), w));
        Turned(b);
        var constant = b.Graph.Initializers.Single();
        Assert.AreEqual((ElementType.Float16, "w:f16"), (constant.Type, constant.Name));
        // To nearest; what is below float16's smallest number is zero, as in PyTorch.
        CollectionAssert.AreEqual(new[] { (double)(Half)(1f / 3), 0, -2, 70 }, constant.Constant!.ToDoubles());
    }

    [TestMethod]
    public void TheRoundedFormCastsEveryNewNumberThereAndBack()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(4, 4));
        b.Output("y", b.Relu(b.MatMul(x, b.Initializer("w", TensorData.Of([1f / 3, 0, 0, 0], 4, 1)))));
        Assert.AreEqual("Cast:Float16 Cast:Float32 MatMul:Float32 Cast:Float16 Cast:Float32 Relu:Float32", Turned(b, form: HalfForm.Rounded));
        Assert.AreEqual((float)(Half)(1f / 3), b.Graph.Initializers.Single().Constant!.As<float>()[0]);
    }

    [TestMethod]
    public void NodesOutsideTheChosenOnesAreLeftAlone()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(4, 4));
        Value inside;
        using (b.Scope("network"))
            inside = b.MatMul(x, x);
        b.Output("y", b.Relu(b.MatMul(inside, x)));
        Assert.AreEqual("Cast:Float16 MatMul:Float16 Cast:Float32 MatMul:Float32 Relu:Float32", Turned(b, n => n.Name.StartsWith("network/", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void AGraphWithoutProductsDoesNotChange()
    {
        var b = new GraphBuilder();
        b.Output("y", b.Relu(b.Input("x", ElementType.Float32, Shape.Of(4))));
        Assert.AreEqual(0, new HalfPrecision(_ => true).Run(b.Graph));
        Assert.HasCount(1, b.Graph.Nodes);
    }

    private static string Turned(GraphBuilder b, Func<Node, bool>? mayBeHalf = null, HalfForm form = HalfForm.Float16)
    {
        var ports = b.Graph.Inputs.Concat(b.Graph.Outputs).Select(v => v.ToString()).ToArray();
        Assert.IsGreaterThan(0, new HalfPrecision(mayBeHalf ?? (_ => true), form).Run(b.Graph));
        Assert.AreEqual("", string.Join('\n', GraphChecker.Findings(new OnnxModel(b.Graph))));
        CollectionAssert.AreEqual(ports, b.Graph.Inputs.Concat(b.Graph.Outputs).Select(v => v.ToString()).ToArray(), "names, types and shapes outside stay");
        return string.Join(' ', b.Graph.Nodes.Select(n => $"{n.OpType}:{n.Output.Type}"));
    }
}
