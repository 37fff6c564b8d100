using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = x with updates put at places given by indices, or combined with what is there: base of both ways to tell places.</summary>
internal abstract class ScatterRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (dx, updates) = node.Attributes.Text("reduction", "none") switch
        {
            "add" => (dy, Take(g, node, dy)),
            "mul" => Product(g, node, dy),
            "max" or "min" => Extreme(g, node, dy),
            _ => (Put(g, node, dy, g.Full(node.Input(2).Shape, 0, dy.Type), "none"), Take(g, node, dy)),
        };
        return [dx, null, updates];
    }

    /// <summary>What <paramref name="x"/> has at the node's places, in the shape of the updates.</summary>
    protected abstract Value Take(GraphBuilder g, Node node, Value x);

    /// <summary>x with updates at the node's places.</summary>
    protected abstract Value Put(GraphBuilder g, Node node, Value x, Value updates, string reduction);

    // Each factor takes dy times the product of all others at its place: the product of those that are not 0, over itself; 0 when any other is 0.
    private (Value, Value) Product(GraphBuilder g, Node node, Value dy)
    {
        var (x, updates) = (node.Input(0), node.Input(2));
        var (zero, one) = (g.Scalar(0, dy.Type), g.Scalar(1, dy.Type));
        var (x0, u0) = (g.Equal(x, zero), g.Equal(updates, zero));
        var (xSafe, uSafe) = (g.Where(x0, one, x), g.Where(u0, one, updates));
        var zeros = Take(g, node, Put(g, node, g.Cast(x0, dy.Type), g.Cast(u0, dy.Type), "add"));
        var product = Take(g, node, Put(g, node, xSafe, uSafe, "mul"));
        var othersHaveNoZero = g.Less(g.Sub(zeros, g.Cast(u0, dy.Type)), g.Scalar(0.5, dy.Type));
        var others = g.Where(othersHaveNoZero, g.Div(product, uSafe), zero);
        var dx = g.Mul(dy, Put(g, node, g.Full(x.Shape, 1, dy.Type), updates, "mul"));
        return (dx, g.Mul(Take(g, node, dy), others));
    }

    // Those that equal the result share dy in equal parts, as with Max and ReduceMax.
    private (Value, Value) Extreme(GraphBuilder g, Node node, Value dy)
    {
        var xWins = g.Cast(g.Equal(node.Input(0), node.Output), dy.Type);
        var updatesWin = g.Cast(g.Equal(node.Input(2), Take(g, node, node.Output)), dy.Type);
        var share = g.Div(dy, Put(g, node, xWins, updatesWin, "add"));
        return (g.Mul(xWins, share), g.Mul(updatesWin, Take(g, node, share)));
    }
}

/// <summary>Places are given along one axis, for each element of the updates.</summary>
internal sealed class ScatterElementsRule : ScatterRule
{
    protected override Value Take(GraphBuilder g, Node node, Value x) => g.GatherElements(x, node.Input(1), node.Attributes.Int("axis", 0));

    protected override Value Put(GraphBuilder g, Node node, Value x, Value updates, string reduction) =>
        g.ScatterElements(x, node.Input(1), updates, node.Attributes.Int("axis", 0), reduction);
}

/// <summary>Places are given by index tuples, for each slice of the updates.</summary>
internal sealed class ScatterNDRule : ScatterRule
{
    protected override Value Take(GraphBuilder g, Node node, Value x) => g.GatherND(x, node.Input(1));

    protected override Value Put(GraphBuilder g, Node node, Value x, Value updates, string reduction) =>
        g.ScatterND(x, node.Input(1), updates, reduction);
}
