using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Runtime.Normalization;
using static OnnxDistill.Tests.Passes.PassModels;

namespace OnnxDistill.Tests.Runtime.Normalization;

/// <summary>The whole way of an imported model.</summary>
[TestClass]
public sealed class ModelPreparationTests
{
    /// <summary>Shapes that the file states hold for the file's batch; conversions must not write them into the graph.</summary>
    [TestMethod]
    public void ConversionsUseTheShapesAskedForNotThoseOfTheFile()
    {
        var (x, y) = (Float("x", 1, 4, 6), Float("y", 1, 4, 6));
        var (scale, bias) = (Constant("scale", TensorData.Of([1f, 2, 3, 4], 4)), Constant("bias", TensorData.Of([0f, 1, 2, 3], 4)));
        var model = Model(GraphOf("norm", [x], [new Node("GroupNormalization", [x, scale, bias], [y], new AttributeMap(("num_groups", 2)), "norm")], [y], scale, bias), 21);
        var prepared = ModelPreparation.Prepare(model, new NormalizeOptions { Shapes = new Dictionary<string, long[]> { ["x"] = [3, 4, 6] } });
        Assert.AreEqual(Shape.Of(3, 4, 6), prepared.Graph.Outputs[0].KnownShape);
        Assert.AreEqual("x: Float32[1, 4, 6]", x.ToString());
    }

    /// <summary>Heads of an Attention without shapes: known only when ONNX Runtime has told them.</summary>
    [TestMethod]
    public void ShapesThatAConversionNeedsAreLearntFirst()
    {
        var (x, h, y) = (Float("x", 2, 4, 3, 6), new Value("h", ElementType.Float32), new Value("y", ElementType.Float32));
        var model = Model(GraphOf("attention", [x], [new Node("Exp", [x], [h]), new Node("Attention", [h, h, x], [y], name: "attention")], [y]), 23);
        Assert.IsTrue(OpsetConverter.LacksShapes(model));
        var prepared = ModelPreparation.Prepare(model);
        Assert.AreEqual(OnnxModel.InnerOpset, prepared.Opset);
        Assert.AreEqual(Shape.Of(2, 4, 3, 6), prepared.Graph.Outputs[0].KnownShape);
        Assert.IsFalse(prepared.Graph.Nodes.Exists(static n => n.OpType is "Attention" or "Shape" or "Range"));
    }

    /// <summary>The trip count is the number of rows of the input: constant only once the graph is folded.</summary>
    [TestMethod]
    public void ALoopWhoseTripCountFoldsIsUnrolled()
    {
        var (i, c, v, s, o) = (new Value("i", ElementType.Int64, Shape.Scalar), new Value("c", ElementType.Bool, Shape.Scalar), Float("v", 3, 2), Float("s", 3, 2), new Value("o"));
        var body = GraphOf("body", [i, c, v], [new Node("Add", [v, new Value("x")], [s], name: "plus"), new Node("Identity", [c], [o])], [o, s]);
        var (x, shape, rows, y) = (new Value("x", ElementType.Float32, Shape.Of(Dim.Named("N"), 2)), new Value("shape"), new Value("rows"), new Value("y", ElementType.Float32));
        v.KnownShape = s.KnownShape = null;
        var zero = Integer("zero", 0);
        var model = Model(GraphOf("loop", [x],
        [
            new Node("Shape", [x], [shape]),
            new Node("Gather", [shape, zero], [rows]),
            new Node("Loop", [rows, null, x], [y], new AttributeMap(("body", body)), "loop"),
        ], [y], zero));
        var prepared = ModelPreparation.Prepare(model, new NormalizeOptions { Batch = 3 });
        Assert.AreEqual("Add Add Add", Operators(prepared));
    }
}
