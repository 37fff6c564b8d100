using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Tests.Passes;

[TestClass]
public sealed class GradientFootprintTests
{
    [TestMethod]
    public void ActivationsAreTheForwardResultsThatTheBackwardPassReads()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(2, 3));
        var e = b.Exp(x);                                       // 24 bytes, read by the backward pass through the Reshape
        var view = b.Reshape(e, Shape.Of(6));                   // another name of the same bytes
        var loss = b.ReduceSum(b.Neg(view), keepDims: false);   // 24 + 4 bytes, read by nobody
        b.Output("loss", loss);
        b.Output("gradient", b.Mul(view, view));                // 24 bytes
        var found = GradientFootprint.Of(b.Graph, [loss]);
        Assert.AreEqual(new GradientFootprint(4, 1, 24 + 24 + 4, 24, 24, 24), found);
    }
}
