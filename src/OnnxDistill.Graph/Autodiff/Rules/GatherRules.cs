using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = slices of x at indices along an axis: dx adds dy up at those places. The axis is brought to the front, where ScatterND works.</summary>
internal sealed class GatherRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x, indices, dy) = (context.Builder, context.Node.Input(0), context.Node.Input(1), context.OutputGradient);
        var axis = x.Shape.Axis(context.Node.Attributes.Int("axis", 0));
        var (rank, taken) = (x.Shape.Rank, indices.Shape.Rank);

        if (indices.Constant is { ElementCount: 1 } constant)
        {
            var at = constant.ToLongs()[0] is var i && i < 0 ? i + x.Shape[axis].Size : i;
            var (before, after) = (new long[rank], new long[rank]);
            (before[axis], after[axis]) = (at, x.Shape[axis].Size - 1 - at);
            return [g.Pad(g.Reshape(dy, x.Shape.With(axis, 1)), before, after), null];
        }

        // dy is [front..., indices..., back...]: the axes of the indices come first.
        var order = Enumerable.Range(axis, taken).Concat(Enumerable.Range(0, axis)).Concat(Enumerable.Range(axis + taken, rank - axis - 1));
        var updates = axis == 0 ? dy : g.Transpose(dy, [.. order.Select(i => (long)i)]);
        var front = new[] { axis }.Concat(Enumerable.Range(0, rank).Where(i => i != axis)).ToArray();
        var zeros = g.Full(new Shape(front.Select(i => x.Shape[i])), 0, dy.Type);
        var extent = g.Constant(TensorData.Of([x.Shape[axis].Size]));
        var whole = g.Cast(indices, ElementType.Int64);
        var wrapped = g.Where(g.Less(whole, g.Constant(TensorData.Of([0L]))), g.Add(whole, extent), whole);
        var dx = g.ScatterND(zeros, g.Unsqueeze(wrapped, taken), updates, "add");
        var back = new long[rank];
        for (var i = 0; i < rank; i++)
            back[front[i]] = i;
        return [axis == 0 ? dx : g.Transpose(dx, back), null];
    }
}

/// <summary>y = slices of x at index tuples: dx adds dy up at those places.</summary>
internal sealed class GatherNDRule : IGradientRule
{
    public string? Refuses(Node node) => node.Attributes.Int("batch_dims", 0) != 0 ? "batch_dims are not supported yet" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x) = (context.Builder, context.Node.Input(0));
        return [g.ScatterND(g.Full(x.Shape, 0, x.Type), context.Node.Input(1), context.OutputGradient, "add"), null];
    }
}

/// <summary>y = x with updates put (or added) at index tuples: the updates take dy there, x everywhere else (or everywhere).</summary>
internal sealed class ScatterNDRule : IGradientRule
{
    public string? Refuses(Node node) =>
        node.Attributes.Text("reduction", "none") is var r && r is not ("none" or "add") ? $"reduction '{r}' is not supported yet" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var updates = g.GatherND(dy, node.Input(1));
        var dx = node.Attributes.Text("reduction", "none") == "add"
            ? dy
            : g.ScatterND(dy, node.Input(1), g.Full(node.Input(2).Shape, 0, dy.Type));
        return [dx, null, updates];
    }
}
