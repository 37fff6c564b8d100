using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = x limited to [low, high]: dx = dy inside (bounds included, as in PyTorch), 0 outside; bounds are treated as constants.</summary>
internal sealed class ClipRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var x = node.Input(0);
        var dx = dy;
        if (node.OptionalInput(1) is { } low)
            dx = g.Where(g.GreaterOrEqual(x, low), dx, g.Scalar(0, dy.Type));
        if (node.OptionalInput(2) is { } high)
            dx = g.Where(g.LessOrEqual(x, high), dx, g.Scalar(0, dy.Type));
        return [dx, .. new Value?[node.Inputs.Length - 1]];
    }
}
