using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Fused;

/// <summary>
/// Group normalisation as it is written in standard operators, y = x̂ w[c] + b[c] with x̂ = InstanceNormalization of x with each group as a channel.
/// With A = sum over places of dy and B of dy x̂, for each sample and channel: db and dw are their sums over the samples, and
/// dx = r (dy w - (sum of w A over the group + x̂ sum of w B) / n), so that all four reductions come from two passes. r = 1 / sqrt(variance + epsilon).
/// </summary>
internal sealed class GroupNormGradient : IFusedGradient
{
    public string LastOperator => "Add";

    public IReadOnlyList<(Value Value, Value Gradient)>? TryApply(GradientContext context) =>
        (Match(context.Node, 0) ?? Match(context.Node, 1)) is { } chain ? Apply(context.Builder, context.OutputGradient, chain) : null;

    /// <summary>The parts of a chain.</summary>
    /// <param name="X">[N, C, ...].</param>
    /// <param name="Grouped">X as [N, groups, n].</param>
    /// <param name="Normalized">x̂ in that shape.</param>
    /// <param name="Weight">w, one number a channel in a shape that broadcasts.</param>
    /// <param name="Bias">b likewise.</param>
    /// <param name="Epsilon">Added to the variance.</param>
    private sealed record Chain(Value X, Value Grouped, Value Normalized, Value Weight, Value Bias, float Epsilon);

    private static Chain? Match(Node add, int scaledAt)
    {
        if (add.Input(scaledAt).Producer is not { QualifiedOp: "Mul" } mul)
            return null;
        for (var at = 0; at < 2; at++)
        {
            var (spread, weight, bias) = (mul.Input(at), mul.Input(1 - at), add.Input(1 - scaledAt));
            if (spread.Producer is { QualifiedOp: "Reshape" } ungroup && ungroup.Input(0).Producer is { QualifiedOp: "InstanceNormalization" } norm
                && IsFilled(norm.Input(1), 1) && IsFilled(norm.Input(2), 0)
                && norm.Input(0).Producer is { QualifiedOp: "Reshape" } group && group.Input(0).Shape.Equals(spread.Shape)
                && norm.Input(0).Shape.Rank == 3 && spread.Shape[1].Size % norm.Input(0).Shape[1].Size == 0
                && IsPerChannel(weight, spread.Shape) && IsPerChannel(bias, spread.Shape))
            {
                return new Chain(group.Input(0), norm.Input(0), norm.Output, weight, bias, norm.Attributes.Float("epsilon", 1e-5f));
            }
        }
        return null;
    }

    private static (Value, Value)[] Apply(GraphBuilder g, Value dy, Chain chain)
    {
        var (batch, channels) = (chain.X.Shape[0], chain.X.Shape[1].Size);
        var (groups, n) = (chain.Grouped.Shape[1].Size, chain.Grouped.Shape[2].Size);
        var perGroup = channels / groups;
        var rows = Shape.Of(batch, channels, n / perGroup);
        var perChannel = Shape.Of(batch, groups, perGroup);

        var dyRows = g.Reshape(dy, rows);
        var sums = g.ReduceSum(dyRows, [2], keepDims: false);
        var products = g.ReduceSum(g.Mul(dyRows, g.Reshape(chain.Normalized, rows)), [2], keepDims: false);
        var weight = g.Reshape(chain.Weight, Shape.Of(1, groups, perGroup));
        Value GroupMean(Value perSampleAndChannel) => g.Mul(g.ReduceSum(g.Mul(g.Reshape(perSampleAndChannel, perChannel), weight), [2]), 1.0 / n);

        var centred = g.Sub(chain.Grouped, g.ReduceMean(chain.Grouped, [2]));
        // Not ReduceSumSquare, which ONNX Runtime takes three times as long for.
        var inverse = g.Reciprocal(g.Sqrt(g.Add(g.ReduceMean(g.Square(centred), [2]), chain.Epsilon)));

        var direct = g.Mul(dyRows, g.Reshape(g.Mul(weight, inverse), Shape.Of(batch, channels, 1)));
        var through = g.Add(g.Mul(chain.Normalized, g.Mul(inverse, GroupMean(products))), g.Mul(inverse, GroupMean(sums)));
        var dx = g.Sub(g.Reshape(direct, chain.Grouped.Shape), through);
        return
        [
            (chain.X, g.Reshape(dx, chain.X.Shape)),
            (chain.Weight, g.Reshape(g.ReduceSum(products, [0], keepDims: false), chain.Weight.Shape)),
            (chain.Bias, g.Reshape(g.ReduceSum(sums, [0], keepDims: false), chain.Bias.Shape)),
        ];
    }

    private static bool IsFilled(Value value, double number) => value.Constant is { } constant && Array.TrueForAll(constant.ToDoubles(), v => v == number);

    // [C, 1, ...] or [1, C, 1, ...]: as many ones behind the channels as the image has spatial axes.
    private static bool IsPerChannel(Value value, Shape image)
    {
        var (shape, behind) = (value.KnownShape, image.Rank - 2);
        return shape is not null && shape.Rank > behind && shape[shape.Rank - 1 - behind] == image[1] && shape.ElementCount == image[1].Size;
    }
}
