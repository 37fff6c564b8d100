using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = slices of x at indices along an axis: dx adds dy up at those places.</summary>
internal sealed class GatherRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x, indices, dy) = (context.Builder, context.Node.Input(0), context.Node.Input(1), context.OutputGradient);
        var axis = x.Shape.Axis(context.Node.Attributes.Int("axis", 0));
        if (indices.Constant is { ElementCount: 1 } constant)
        {
            var at = constant.ToLongs()[0] is var i && i < 0 ? i + x.Shape[axis].Size : i;
            var (before, after) = (new long[x.Shape.Rank], new long[x.Shape.Rank]);
            (before[axis], after[axis]) = (at, x.Shape[axis].Size - 1 - at);
            return [g.Pad(g.Reshape(dy, x.Shape.With(axis, 1)), before, after), null];
        }
        var extent = g.Constant(TensorData.Of([x.Shape[axis].Size]));
        var whole = g.Cast(indices, ElementType.Int64);
        var wrapped = g.Where(g.Less(whole, g.Constant(TensorData.Of([0L]))), g.Add(whole, extent), whole);
        return [AddSlices(g, x.Shape, axis, wrapped, dy), null];
    }

    // Zeros of the shape with slices added at places along the axis, which is brought to the front, where ScatterND works. The places are int64, none
    // negative, of any rank; the slices have their axes instead of that one.
    private static Value AddSlices(GraphBuilder g, Shape shape, int axis, Value places, Value slices)
    {
        var (rank, taken) = (shape.Rank, places.Shape.Rank);
        // The slices are [front..., places..., back...]: the axes of the places come first.
        var order = Enumerable.Range(axis, taken).Concat(Enumerable.Range(0, axis)).Concat(Enumerable.Range(axis + taken, rank - axis - 1));
        var updates = axis == 0 ? slices : g.Transpose(slices, [.. order.Select(i => (long)i)]);
        var front = new[] { axis }.Concat(Enumerable.Range(0, rank).Where(i => i != axis)).ToArray();
        var zeros = g.Full(new Shape(front.Select(i => shape[i])), 0, slices.Type);
        var sum = g.ScatterND(zeros, g.Unsqueeze(places, taken), updates, "add");
        var back = new long[rank];
        for (var i = 0; i < rank; i++)
            back[front[i]] = i;
        return axis == 0 ? sum : g.Transpose(sum, back);
    }
}

/// <summary>y[i, j] = x[index[i, j], j]: dx adds dy up at those places.</summary>
internal sealed class GatherElementsRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x) = (context.Builder, context.Node.Input(0));
        var zeros = g.Full(x.Shape, 0, x.Type);
        return [g.ScatterElements(zeros, context.Node.Input(1), context.OutputGradient, context.Node.Attributes.Int("axis", 0), "add"), null];
    }
}

/// <summary>y = slices of x at index tuples: dx adds dy up at those places. Batch axes become the first entries of each tuple, as ScatterND has no
/// such thing.</summary>
internal sealed class GatherNDRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x, indices) = (context.Builder, context.Node.Input(0), context.Node.Input(1));
        var batchAxes = (int)context.Node.Attributes.Int("batch_dims", 0);
        if (batchAxes > 0)
            indices = g.Concat(-1, Positions(g, indices.Shape, batchAxes), indices);
        return [g.ScatterND(g.Full(x.Shape, 0, x.Type), indices, context.OutputGradient, "add"), null];
    }

    // For each tuple where it stands along the first axes: [B..., 1..., batchAxes], repeated to the tuples' shape.
    private static Value Positions(GraphBuilder g, Shape tuples, int batchAxes)
    {
        var batch = tuples.Sizes()[..batchAxes];
        var count = batch.Aggregate(1L, static (n, d) => n * d);
        var positions = new long[count * batchAxes];
        for (var i = 0L; i < count; i++)
        {
            var rest = i;
            for (var axis = batchAxes - 1; axis >= 0; axis--)
                (rest, positions[(i * batchAxes) + axis]) = Math.DivRem(rest, batch[axis]);
        }
        long[] dims = [.. batch, .. Enumerable.Repeat(1L, tuples.Rank - 1 - batchAxes), batchAxes];
        return g.Expand(g.Constant(TensorData.Of(positions, dims)), tuples.With(tuples.Rank - 1, batchAxes));
    }
}

/// <summary>Values = the k largest (or smallest) of x along an axis: dx is dy at the places that the node tells as its second output.</summary>
internal sealed class TopKRule : IGradientRule
{
    public string? Refuses(Node node) => node.Outputs is [_, not null] ? null : "its indices are not an output";

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var x = node.Input(0);
        // The refusal above has seen to the second output.
        return [g.ScatterElements(g.Full(x.Shape, 0, x.Type), node.Outputs[1]!, context.OutputGradient, node.Attributes.Int("axis", -1)), null];
    }
}

/// <summary>y = on where the place is the index, off elsewhere: each of the two values takes the sum of dy where it was put. Indices and depth are
/// whole numbers.</summary>
internal sealed class OneHotRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var hot = g.OneHot(node.Input(0), node.Input(1), g.Cast(g.Constant(TensorData.Of([0f, 1f], 2)), dy.Type), node.Attributes.Int("axis", -1), dy.Shape);
        var on = g.Mul(dy, hot);
        var all = Enumerable.Range(0, dy.Shape.Rank).Select(static i => (long)i).ToArray();
        return [null, null, g.Concat(0, Sum(g.Sub(dy, on)), Sum(on))];

        Value Sum(Value x) => g.Reshape(g.ReduceSum(x, all), Shape.Of(1));
    }
}

/// <summary>y = zeros with x at flat places: dx is what dy has there.</summary>
internal sealed class MaxUnpoolRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        return [g.Gather(g.Reshape(dy, Shape.Of(dy.Shape.ElementCount)), node.Input(1), 0), .. new Value?[node.Inputs.Length - 1]];
    }
}
