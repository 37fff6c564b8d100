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

/// <summary>y = x̂ scale + bias, normalised over the last axes.</summary>
internal sealed class LayerNormalizationRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
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
        var dx = NormalizationGradient.Apply(g, normalized, inverse, g.Mul(dy, scale), axes);
        return [dx, g.Mul(dy, normalized), .. node.Inputs.Length > 2 ? [dy] : Array.Empty<Value?>()];
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
