using OnnxDistill.Graph.Autodiff.Rules;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Fused;

/// <summary>
/// O = P V, P = softmax S over the keys: dV = P' dO, dS = P (dO V' - s) with s = sum over the width of dO O, which equals the softmax rule's sum over
/// the keys of dP P (Dao et al. 2022, arXiv 2205.14135, appendix B.2) and is read from tensors as wide as a head instead of as all keys.
/// </summary>
internal sealed class AttentionGradient : IFusedGradient
{
    public string LastOperator => "MatMul";

    public IReadOnlyList<(Value Value, Value Gradient)>? TryApply(GradientContext context)
    {
        var (g, weights, values, dy) = (context.Builder, context.Node.Input(0), context.Node.Input(1), context.OutputGradient);
        // A sample's own values for each matrix of weights, so that no gradient has to be summed back.
        if (weights.Producer is not { QualifiedOp: "Softmax" } softmax || weights.Shape.Axis(softmax.Attributes.Int("axis", -1)) != weights.Shape.Rank - 1
            || weights.Shape.Rank < 3 || !values.Shape.SkipLast(2).SequenceEqual(weights.Shape.SkipLast(2)))
        {
            return null;
        }
        var sums = g.ReduceSum(g.Mul(dy, context.Node.Output), [-1]);
        var scores = g.Mul(weights, g.Sub(g.MatMul(dy, g.TransposeLast(values)), sums));
        return [(softmax.Input(0), scores), (values, MatMulRule.LeftTransposed(g, weights, dy))];
    }
}
