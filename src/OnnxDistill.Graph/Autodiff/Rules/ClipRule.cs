using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = min(max(x, low), high). As in PyTorch's clamp: dx = dy inside, bounds included; dlow = dy where x &lt; low &lt; high;
/// dhigh = dy where x &gt; high, or where the bounds are the wrong way round, which gives high. Constant bounds get nothing.</summary>
internal sealed class ClipRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, low, high) = (node.Input(0), node.OptionalInput(1), node.OptionalInput(2));
        var dx = dy;
        if (low is not null)
            dx = Where(g.GreaterOrEqual(x, low));
        if (high is not null)
            dx = g.Where(g.LessOrEqual(x, high), dx, g.Scalar(0, dy.Type));

        Value? dlow = null, dhigh = null;
        if (low is { Constant: null })
            dlow = Where(high is null ? g.Less(x, low) : g.And(g.Less(x, low), g.Less(low, high)));
        if (high is { Constant: null })
            dhigh = Where(low is null ? g.Greater(x, high) : g.Or(g.Greater(x, high), g.Greater(low, high)));
        return node.Inputs.Length switch { 1 => [dx], 2 => [dx, dlow], _ => [dx, dlow, dhigh] };

        Value Where(Value condition) => g.Where(condition, dy, g.Scalar(0, dy.Type));
    }
}
