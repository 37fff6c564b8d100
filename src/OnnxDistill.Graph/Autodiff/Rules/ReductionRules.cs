using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>Base of all reductions: finds the axes of either form and brings the arriving gradient to the kept-dims shape.</summary>
internal abstract class ReductionRule : IGradientRule
{
    public string? Refuses(Node node) => node.OptionalInput(1) is { Constant: null } ? "its axes are not constant" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var x = node.Input(0);
        var axes = node.OptionalInput(1)?.Constant?.ToLongs() ?? [];
        // With noop_with_empty_axes each element is reduced alone: ONNX Runtime 1.31.1 still squares, takes the absolute value, and so on.
        var all = axes.Length == 0 && node.Attributes.Int("noop_with_empty_axes", 0) == 0;
        var reduced = (all ? Enumerable.Range(0, x.Shape.Rank) : axes.Select(a => x.Shape.Axis(a))).ToHashSet();
        var kept = new Shape(x.Shape.Select((d, i) => reduced.Contains(i) ? 1 : d));
        var count = reduced.Aggregate(1L, (n, axis) => n * x.Shape[axis].Size);
        var dx = Gradient(g, x, g.Reshape(node.Output, kept), g.Reshape(context.OutputGradient, kept), count);
        return node.Inputs.Length == 1 ? [dx] : [dx, null];
    }

    /// <summary>dx from x, y and dy in the kept-dims shape; <paramref name="count"/> elements were reduced to each result.</summary>
    protected abstract Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count);
}

/// <summary>y = sum x: dx = dy.</summary>
internal sealed class ReduceSumRule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count) => g.Expand(dy, x.Shape);
}

/// <summary>y = mean x: dx = dy / n.</summary>
internal sealed class ReduceMeanRule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count) => g.Expand(g.Div(dy, count), x.Shape);
}

/// <summary>y = sum x^2: dx = 2 x dy.</summary>
internal sealed class ReduceSumSquareRule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count) => g.Mul(x, g.Mul(dy, 2));
}

/// <summary>y = sum |x|: dx = dy sign(x), 0 at 0.</summary>
internal sealed class ReduceL1Rule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count) => g.Mul(dy, g.Sign(x));
}

/// <summary>y = sqrt(sum x^2): dx = dy x / y, and 0 at the origin.</summary>
internal sealed class ReduceL2Rule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count)
    {
        var zero = g.Equal(y, g.Scalar(0, y.Type));
        return g.Mul(x, g.Where(zero, g.Scalar(0, y.Type), g.Div(dy, g.Where(zero, g.Scalar(1, y.Type), y))));
    }
}

/// <summary>y = ln sum x: dx = dy / sum x = dy e^-y.</summary>
internal sealed class ReduceLogSumRule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count) => g.Expand(g.Mul(dy, g.Exp(g.Neg(y))), x.Shape);
}

/// <summary>y = ln sum e^x: dx = dy e^(x - y), the softmax over the reduced axes.</summary>
internal sealed class ReduceLogSumExpRule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count) => g.Mul(dy, g.Exp(g.Sub(x, y)));
}

/// <summary>y = max x (or min): the elements that equal y share dy in equal parts.</summary>
internal sealed class ReduceExtremeRule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count)
    {
        var chosen = g.Cast(g.Equal(x, y), x.Type);
        var axes = Enumerable.Range(0, x.Shape.Rank).Where(i => y.Shape[i] != x.Shape[i]).Select(i => (long)i).ToArray();
        return g.Mul(chosen, axes.Length == 0 ? dy : g.Div(dy, g.ReduceSum(chosen, axes)));
    }
}
