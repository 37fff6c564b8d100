using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// y = x u^-beta with u = bias + alpha / size * (sum of x^2 over the channels nearby):
/// dx = dy u^-beta - 2 alpha beta / size * x * (sum of dy y / u over the channels that have this one nearby).
/// </summary>
internal sealed class LocalResponseNormalizationRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var x = node.Input(0);
        var size = node.Attributes.Int("size", 1);
        var (alpha, beta) = ((double)node.Attributes.Float("alpha", 1e-4f), (double)node.Attributes.Float("beta", 0.75f));
        var (before, after) = ((size - 1) / 2, size / 2);
        var u = g.Add(g.Mul(Nearby(g, g.Square(x), before, after), alpha / size), node.Attributes.Float("bias", 1));
        var power = g.Pow(u, -beta);
        var share = g.Div(g.Mul(g.Mul(dy, x), power), u);
        // Seen from the other side an even window leans the other way.
        var back = Nearby(g, share, after, before);
        return [g.Sub(g.Mul(dy, power), g.Mul(g.Mul(x, back), 2 * alpha * beta / size))];
    }

    private static Value Nearby(GraphBuilder g, Value x, long before, long after)
    {
        var channels = x.Shape[1].Size;
        var (front, back) = (new long[x.Shape.Rank], new long[x.Shape.Rank]);
        (front[1], back[1]) = (before, after);
        var padded = g.Pad(x, front, back);
        return g.Sum([.. Enumerable.Range(0, (int)(before + after + 1)).Select(i => g.Slice(padded, 1, i, i + channels))]);
    }
}
