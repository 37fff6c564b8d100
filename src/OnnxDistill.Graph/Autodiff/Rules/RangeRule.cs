using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = start + i step up to a limit: dstart = sum dy, dstep = sum i dy. How many elements there are depends on the inputs in jumps, so
/// the limit gets nothing; and that number may be known only as the graph runs.</summary>
internal sealed class RangeRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, dy) = (context.Builder, context.OutputGradient);
        var count = g.Emit("Size", [dy], ElementType.Int64, Shape.Scalar);
        var (zero, one) = (g.Constant(TensorData.Of([0L], [])), g.Constant(TensorData.Of([1L], [])));
        var numbers = g.Cast(g.Emit("Range", [zero, count, one], ElementType.Int64, dy.Shape), dy.Type);
        return [g.ReduceSum(dy, keepDims: false), null, g.ReduceSum(g.Mul(dy, numbers), keepDims: false)];
    }
}
