using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = x, or in training y = x mask / (1 - ratio): dy takes the same way. The mask is a random draw, so nothing flows into the ratio.</summary>
internal sealed class DropoutRule : IGradientRule
{
    private const double DefaultRatio = 0.5;

    public string? Refuses(Node node) => !IsIdentity(node) && (node.Outputs.Length < 2 || node.Outputs[1] is null)
        ? "it is in training mode without its mask output, so what it dropped cannot be told" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var dx = dy;
        if (!IsIdentity(node))
        {
            var ratio = node.OptionalInput(1) is { } given ? g.Cast(given, dy.Type) : g.Scalar(DefaultRatio, dy.Type);
            var scale = g.Reciprocal(g.Sub(g.Scalar(1, dy.Type), ratio));
            if (node.Input(2).Constant is null)
                scale = g.Where(node.Input(2), scale, g.Scalar(1, dy.Type));
            dx = g.Mul(g.Where(node.Outputs[1]!, dy, g.Scalar(0, dy.Type)), scale); // there: Refuses has seen to it
        }
        return [dx, .. new Value?[node.Inputs.Length - 1]];
    }

    private static bool IsIdentity(Node node) => node.OptionalInput(2) is not { } training || training.Constant is { } mode && !mode.As<bool>()[0]
        || node.OptionalInput(1)?.Constant is { } ratio && ratio.ToDoubles()[0] == 0;
}
