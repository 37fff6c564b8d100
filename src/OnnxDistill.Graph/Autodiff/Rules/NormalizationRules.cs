using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>The gradient that all normalisations x̂ = (x - mean) r, r = 1 / sqrt(variance + epsilon) share:
/// dx = r (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)), means over the normalised axes.</summary>
internal static class NormalizationGradient
{
    public static Value Apply(GraphBuilder g, Value normalized, Value inverseDeviation, Value gradient, long[] axes) =>
        g.Mul(inverseDeviation, g.Sub(
            g.Sub(gradient, g.ReduceMean(gradient, axes)),
            g.Mul(normalized, g.ReduceMean(g.Mul(gradient, normalized), axes))));
}

/// <summary>y = x̂ scale + bias, normalised over the last axes. The further outputs are the mean, which gives dx dmean / n, and r, which gives
/// -dr r² x̂ / n.</summary>
internal sealed class LayerNormalizationRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var (x, scale) = (node.Input(0), node.Input(1));
        var first = x.Shape.Axis(node.Attributes.Int("axis", -1));
        var axes = Enumerable.Range(first, x.Shape.Rank - first).Select(i => (long)i).ToArray();
        // The statistics are formed again from x: the forward node's own second and third output would hide from a second derivative
        // how they depend on x.
        var mean = g.ReduceMean(x, axes);
        var centred = g.Sub(x, mean);
        var variance = g.ReduceMean(g.Square(centred), axes);
        var inverse = g.Reciprocal(g.Sqrt(g.Add(variance, node.Attributes.Float("epsilon", 1e-5f))));
        var normalized = g.Mul(centred, inverse);

        var parts = new List<Value>();
        var dy = context.OutputGradients[0];
        if (dy is not null)
            parts.Add(NormalizationGradient.Apply(g, normalized, inverse, g.Mul(dy, scale), axes));
        var count = axes.Aggregate(1L, (n, axis) => n * x.Shape[(int)axis].Size);
        // They are float32 even where x is not.
        if (context.OutputGradients.ElementAtOrDefault(1) is { } dmean)
            parts.Add(g.Expand(g.Div(g.Cast(dmean, x.Type), count), x.Shape));
        if (context.OutputGradients.ElementAtOrDefault(2) is { } dinverse)
            parts.Add(g.Mul(normalized, g.Mul(g.Mul(g.Cast(dinverse, x.Type), g.Square(inverse)), -1.0 / count)));
        var dx = parts.Count == 1 ? parts[0] : g.Sum([.. parts]);
        return [dx, dy is null ? null : g.Mul(dy, normalized), .. node.Inputs.Length > 2 ? [dy] : Array.Empty<Value?>()];
    }
}

/// <summary>y = x̂ scale[c] + bias[c], normalised over the spatial axes of each sample and channel.</summary>
internal sealed class InstanceNormalizationRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, scale) = (node.Input(0), node.Input(1));
        var axes = Enumerable.Range(2, x.Shape.Rank - 2).Select(i => (long)i).ToArray();
        var centred = g.Sub(x, g.ReduceMean(x, axes));
        var inverse = g.Reciprocal(g.Sqrt(g.Add(g.ReduceMean(g.Square(centred), axes), node.Attributes.Float("epsilon", 1e-5f))));
        var normalized = g.Mul(centred, inverse);
        var perChannel = new Shape([1, scale.Shape[0], .. axes.Select(_ => (Dim)1)]);
        var dx = NormalizationGradient.Apply(g, normalized, inverse, g.Mul(dy, g.Reshape(scale, perChannel)), axes);
        return [dx, PerChannel(g, g.Mul(dy, normalized)), PerChannel(g, dy)];
    }

    private static Value PerChannel(GraphBuilder g, Value x) =>
        g.ReduceSum(x, [0, .. Enumerable.Range(2, x.Shape.Rank - 2).Select(i => (long)i)], keepDims: false);
}

/// <summary>y = (x - mean) / (sqrt(variance) + 1e-9) over the given axes, which the standard defaults to those of an image's samples and places.</summary>
internal sealed class MeanVarianceNormalizationRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var x = node.Input(0);
        var axes = node.Attributes.Ints("axes") ?? [0, 2, 3];
        var centred = g.Sub(x, g.ReduceMean(x, axes));
        var inverse = g.Reciprocal(g.Add(g.Sqrt(g.ReduceMean(g.Square(centred), axes)), 1e-9));
        return [NormalizationGradient.Apply(g, g.Mul(centred, inverse), inverse, context.OutputGradient, axes)];
    }
}

/// <summary>y = x / n with the 1- or 2-norm n along an axis: dx = (dy - s sum(dy y)) / n, where s, the slope of n, is sign x or y. Where all
/// of x is 0, y is 0 too and dx is taken to be 0.</summary>
internal sealed class LpNormalizationRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var x = node.Input(0);
        long[] axis = [node.Attributes.Int("axis", -1)];
        var isFirst = node.Attributes.Int("p", 2) == 1;
        var sum = g.ReduceSum(isFirst ? g.Abs(x) : g.Square(x), axis);
        var (zero, one) = (g.Scalar(0, x.Type), g.Scalar(1, x.Type));
        var isZero = g.Equal(sum, zero);
        // 1 in place of 0 before the root, whose own slope there is infinite.
        var safe = g.Where(isZero, one, sum);
        var norm = isFirst ? safe : g.Sqrt(safe);
        var y = g.Div(x, norm);
        var along = g.Mul(isFirst ? g.Sign(x) : y, g.ReduceSum(g.Mul(dy, y), axis));
        return [g.Where(isZero, zero, g.Div(g.Sub(dy, along), norm))];
    }
}
