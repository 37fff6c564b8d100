using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = x with a border, cut off where amounts are negative: dx is the inside of dy, plus, where the border repeats x (edge, reflect), the
/// border's parts at the places that they were copied from.</summary>
internal sealed class PadRule : IGradientRule
{
    public string? Refuses(Node node) =>
        node.Attributes.Text("mode", "constant") is var mode && mode is not ("constant" or "edge" or "reflect") ? $"the mode '{mode}' is not one of opset 18"
        : node.OptionalInput(1)?.Constant is null ? "its pads are not constant"
        : node.OptionalInput(3) is { Constant: null } ? "its axes are not constant" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var x = node.Input(0).Shape;
        var (before, after) = Amounts(node);
        var mode = node.Attributes.Text("mode", "constant");
        if (mode == "constant")
        {
            var inside = Cut(g, dy, before, after);
            return [Grow(g, inside, before, after), .. Rest(g, node, dy, inside, before, after)];
        }
        var dx = dy;
        for (var axis = 0; axis < x.Rank; axis++)
        {
            if (before[axis] != 0 || after[axis] != 0)
                dx = BorderMap.Transposed(g, dx, axis, x[axis].Size, before[axis], after[axis], mode == "edge");
        }
        return [dx, .. new Value?[node.Inputs.Length - 1]];
    }

    private static (long[] Before, long[] After) Amounts(Node node)
    {
        var shape = node.Input(0).Shape;
        var pads = node.Input(1).Constant!.ToLongs(); // refused otherwise, as are the axes
        var axes = node.OptionalInput(3)?.Constant!.ToLongs() ?? [.. Enumerable.Range(0, shape.Rank).Select(static i => (long)i)];
        var (before, after) = (new long[shape.Rank], new long[shape.Rank]);
        for (var i = 0; i < axes.Length; i++)
            (before[shape.Axis(axes[i])], after[shape.Axis(axes[i])]) = (pads[i], pads[axes.Length + i]);
        return (before, after);
    }

    // dy without what was added. A step of its own before zeros stand where x had been cut, because a border value that varies needs it too.
    private static Value Cut(GraphBuilder g, Value dy, long[] before, long[] after)
    {
        long[] axes = [.. Enumerable.Range(0, before.Length).Where(i => before[i] > 0 || after[i] > 0).Select(static i => (long)i)];
        return axes.Length == 0 ? dy : g.Slice(dy, axes, [.. axes.Select(a => Math.Max(0, before[a]))],
            [.. axes.Select(a => dy.Shape[(int)a].Size - Math.Max(0, after[a]))], [.. axes.Select(static _ => 1L)]);
    }

    private static Value Grow(GraphBuilder g, Value inside, long[] before, long[] after) =>
        g.Pad(inside, Array.ConvertAll(before, static n => Math.Max(0, -n)), Array.ConvertAll(after, static n => Math.Max(0, -n)));

    // Pads have no gradient; a border value that varies takes the sum over the border, in which the inside is exactly 0.
    private static Value?[] Rest(GraphBuilder g, Node node, Value dy, Value inside, long[] before, long[] after)
    {
        var rest = new Value?[node.Inputs.Length - 1];
        if (node.OptionalInput(2) is { Constant: null } border)
        {
            var framed = g.Pad(inside, Array.ConvertAll(before, static n => Math.Max(0, n)), Array.ConvertAll(after, static n => Math.Max(0, n)));
            rest[1] = g.Reshape(g.ReduceSum(g.Sub(dy, framed), keepDims: false), border.Shape);
        }
        return rest;
    }
}

/// <summary>y = x cut or widened by zeros to a shape, the same on both sides (an odd one behind): dx is dy widened or cut.</summary>
internal sealed class CenterCropPadRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, dy, x) = (context.Builder, context.OutputGradient, context.Node.Input(0).Shape);
        var (before, after) = (new long[x.Rank], new long[x.Rank]);
        for (var axis = 0; axis < x.Rank; axis++)
        {
            // Division goes towards 0, so the smaller half is in front both ways.
            var missing = x[axis].Size - dy.Shape[axis].Size;
            before[axis] = missing / 2;
            after[axis] = missing - before[axis];
        }
        return [g.Pad(dy, before, after), null];
    }
}

/// <summary>Where a border that repeats x took its elements, along one axis.</summary>
internal static class BorderMap
{
    /// <summary>dx along one axis: runs of dy that were copied forwards, backwards or from one element, each added at its place. Slices and sums
    /// instead of a scatter, whose order of addition would vary on a GPU.</summary>
    public static Value Transposed(GraphBuilder g, Value dy, int axis, long extent, long before, long after, bool edge)
    {
        // Negative amounts cut x first; what is left is repeated.
        var (low, high) = (Math.Max(0, -before), extent - Math.Max(0, -after));
        var source = new long[dy.Shape[axis].Size];
        for (var i = 0; i < source.Length; i++)
            source[i] = low + Source(i - Math.Max(0, before), high - low, edge);
        var parts = new List<Value>();
        for (var start = 0; start < source.Length;)
        {
            var step = start + 1 < source.Length ? source[start + 1] - source[start] : 1;
            var end = start + 1;
            while (end < source.Length && source[end] - source[end - 1] == step)
                end++;
            var run = g.Slice(dy, axis, start, end);
            run = step == 0 ? g.ReduceSum(run, [axis]) : step < 0 ? g.Slice(run, axis, -1, long.MinValue, -1) : run;
            var first = Math.Min(source[start], source[end - 1]);
            var (front, back) = (new long[dy.Shape.Rank], new long[dy.Shape.Rank]);
            (front[axis], back[axis]) = (first, extent - first - run.Shape[axis].Size);
            parts.Add(g.Pad(run, front, back));
            start = end;
        }
        return parts.Count switch { 1 => parts[0], 2 => g.Add(parts[0], parts[1]), _ => g.Sum([.. parts]) };
    }

    private static long Source(long place, long extent, bool edge)
    {
        if (edge || extent == 1)
            return Math.Clamp(place, 0, extent - 1);
        var period = 2 * (extent - 1);
        var folded = ((place % period) + period) % period;
        return folded < extent ? folded : period - folded;
    }
}
