using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>Reshape, Flatten, Squeeze, Unsqueeze: the gradient takes the input's shape.</summary>
internal sealed class ReshapeRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var dx = context.Builder.Reshape(context.OutputGradient, context.Node.Input(0).Shape);
        return context.Node.Inputs.Length == 1 ? [dx] : [dx, null];
    }
}

/// <summary>y = x repeated by broadcasting: the walker sums dy back to x's shape.</summary>
internal sealed class ExpandRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context) => [context.OutputGradient, null];
}

/// <summary>y = x with permuted axes: dx = dy with the inverse permutation.</summary>
internal sealed class TransposeRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var rank = context.Node.Input(0).Shape.Rank;
        var permutation = context.Node.Attributes.Ints("perm") ?? [.. Enumerable.Range(0, rank).Select(i => (long)(rank - 1 - i))];
        var inverse = new long[rank];
        for (var i = 0; i < rank; i++)
            inverse[permutation[i]] = i;
        return [context.Builder.Transpose(context.OutputGradient, inverse)];
    }
}

/// <summary>y = inputs joined along an axis: each gets its part of dy.</summary>
internal sealed class ConcatRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var node = context.Node;
        var axis = node.Output.Shape.Axis(node.Attributes.Int("axis", 0));
        return node.Inputs.Length == 1
            ? [context.OutputGradient]
            : context.Builder.Split(context.OutputGradient, axis, Array.ConvertAll(node.Inputs, v => v!.Shape[axis].Size));
    }
}

/// <summary>Outputs are parts of x along an axis: dx joins their gradients, zeros where none arrived.</summary>
internal sealed class SplitRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var node = context.Node;
        var axis = node.Input(0).Shape.Axis(node.Attributes.Int("axis", 0));
        var parts = Enumerable.Range(0, node.Outputs.Length).Select(context.OutputGradientOrZeros).ToArray();
        var dx = context.Builder.Concat(axis, parts);
        return node.Inputs.Length == 1 ? [dx] : [dx, null];
    }
}

/// <summary>y = x tiled: dy with each axis cut into (repeats, extent), summed over the repeats.</summary>
internal sealed class TileRule : IGradientRule
{
    public string? Refuses(Node node) => node.OptionalInput(1)?.Constant is null ? "its repeats are not constant" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x) = (context.Builder, context.Node.Input(0));
        var repeats = context.Node.Input(1).Constant!.ToLongs();
        var cut = new Shape(x.Shape.SelectMany((d, i) => new[] { repeats[i], d }));
        var axes = Enumerable.Range(0, x.Shape.Rank).Where(i => repeats[i] != 1).Select(i => 2L * i).ToArray();
        var dy = g.Reshape(context.OutputGradient, cut);
        return [g.Reshape(axes.Length == 0 ? dy : g.ReduceSum(dy, axes), x.Shape), null];
    }
}
