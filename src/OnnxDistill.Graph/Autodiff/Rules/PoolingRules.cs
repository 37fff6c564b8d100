using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = mean of x over a window: each place gets the sum of dy / count over the windows that see it.</summary>
internal sealed class AveragePoolRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var window = new PoolWindow(node);
        var counts = window.Counts(node.Attributes.Int("count_include_pad", 0) == 1, dy.Type);
        return [window.SumBack(g, g.Div(dy, g.Constant(counts)))];
    }
}

/// <summary>y = (sum of |x|^p over a window)^(1/p): dx = sign x |x|^(p-1) times the sum of dy y^(1-p) over the windows that see it.</summary>
internal sealed class LpPoolRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var p = node.Attributes.Int("p", 2);
        var u = NormSlope.Outer(g, node.Output, context.OutputGradient, p);
        return [g.Mul(NormSlope.Inner(g, node.Input(0), p), new PoolWindow(node).SumBack(g, u))];
    }
}

/// <summary>y = mean of x over all places: dx = dy / n.</summary>
internal sealed class GlobalAveragePoolRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x, dy) = (context.Builder, context.Node.Input(0).Shape, context.OutputGradient);
        return [g.Expand(g.Div(dy, x.ElementCount / (x[0].Size * x[1].Size)), x)];
    }
}

/// <summary>y = (sum of |x|^p over all places)^(1/p): as LpPool with one window.</summary>
internal sealed class GlobalLpPoolRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var p = node.Attributes.Int("p", 2);
        return [g.Mul(NormSlope.Inner(g, node.Input(0), p), NormSlope.Outer(g, node.Output, context.OutputGradient, p))];
    }
}

/// <summary>y = largest x of all places: the first of them that equals y gets dy, as in PyTorch.</summary>
internal sealed class GlobalMaxPoolRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x, dy) = (context.Builder, context.Node.Input(0), context.OutputGradient);
        var places = x.Shape.ElementCount / (x.Shape[0].Size * x.Shape[1].Size);
        var (flat, one) = (Shape.Of(x.Shape[0], x.Shape[1], places), Shape.Of(x.Shape[0], x.Shape[1], 1));
        var first = g.Emit("ArgMax", [g.Reshape(x, flat)], ElementType.Int64, one, ("axis", 2), ("keepdims", 1));
        var numbers = g.Constant(TensorData.Of([.. Enumerable.Range(0, (int)places).Select(i => (long)i)], places));
        return [g.Reshape(g.Mul(g.Cast(g.Equal(first, numbers), dy.Type), g.Reshape(dy, one)), x.Shape)];
    }
}

/// <summary>y = largest x of a window: dy is added up at the places that ONNX Runtime took, the first of equals, as in PyTorch.</summary>
internal sealed class MaxPoolRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var x = node.Input(0);
        // Indices count over the whole of x, in its own order unless storage_order says otherwise. A node that does not tell them is run again.
        var rowMajor = node.Attributes.Int("storage_order", 0) == 0;
        var indices = rowMajor && node.Outputs.ElementAtOrDefault(1) is { } told ? told
            : g.EmitMany("MaxPool", [x], [(x.Type, node.Output.Shape), (ElementType.Int64, node.Output.Shape)],
                node.Attributes.With("storage_order", null).Select(a => (a.Key, (object?)a.Value)))[1];
        var (count, taken) = (x.Shape.ElementCount, dy.Shape.ElementCount);
        var zeros = g.Full(Shape.Of(count), 0, dy.Type);
        var sum = g.ScatterND(zeros, g.Reshape(indices, Shape.Of(taken, 1)), g.Reshape(dy, Shape.Of(taken)), "add");
        return [g.Reshape(sum, x.Shape)];
    }
}

/// <summary>The two factors of the slope of (sum |x|^p)^(1/p).</summary>
internal static class NormSlope
{
    /// <summary>sign x |x|^(p-1).</summary>
    public static Value Inner(GraphBuilder g, Value x, long p) => p switch
    {
        1 => g.Sign(x),
        2 => x,
        _ => g.Mul(g.Sign(x), g.Pow(g.Abs(x), p - 1)),
    };

    /// <summary>dy y^(1-p), and 0 where y is 0, as all of x is there.</summary>
    public static Value Outer(GraphBuilder g, Value y, Value dy, long p)
    {
        if (p == 1)
            return dy;
        var isZero = g.Equal(y, g.Scalar(0, y.Type));
        var safe = g.Where(isZero, g.Scalar(1, y.Type), y);
        return g.Where(isZero, g.Scalar(0, y.Type), g.Mul(dy, g.Pow(safe, 1 - p)));
    }
}
