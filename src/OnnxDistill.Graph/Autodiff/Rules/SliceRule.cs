using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = part of x: dx is dy at its places among zeros. Strides are spread by zeros between elements, negative steps reversed first.</summary>
internal sealed class SliceRule : IGradientRule
{
    public string? Refuses(Node node) =>
        node.Inputs.Skip(1).Any(v => v is { Constant: null }) ? "its starts, ends, axes or steps are not constant" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var shape = node.Input(0).Shape;
        var (starts, ends) = (node.Input(1).Constant!.ToLongs(), node.Input(2).Constant!.ToLongs());
        var axes = node.OptionalInput(3)?.Constant!.ToLongs() ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        var steps = node.OptionalInput(4)?.Constant!.ToLongs() ?? [.. Enumerable.Repeat(1L, starts.Length)];

        var dx = context.OutputGradient;
        var (before, after) = (new long[shape.Rank], new long[shape.Rank]);
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = shape.Axis(axes[i]);
            var extent = shape[axis].Size;
            var range = SliceRange.Of(extent, starts[i], ends[i], steps[i]);
            if (range.Count == 0)
                return [g.Full(shape, 0, dx.Type), .. new Value?[node.Inputs.Length - 1]];
            if (range.Step < 0)
                dx = g.Slice(dx, axis, -1, long.MinValue, -1);
            if (Math.Abs(range.Step) > 1)
                dx = Spread(g, dx, axis, Math.Abs(range.Step));
            before[axis] = range.Step > 0 ? range.Start : range.Start + (range.Step * (range.Count - 1));
            after[axis] = extent - before[axis] - dx.Shape[axis].Size;
        }
        return [g.Pad(dx, before, after), .. new Value?[node.Inputs.Length - 1]];
    }

    // [.., n, ..] -> [.., n, 1, ..] -> zeros behind each element -> [.., n * step, ..], less the last zeros.
    private static Value Spread(GraphBuilder g, Value x, int axis, long step)
    {
        var extent = x.Shape[axis].Size;
        var wide = g.Unsqueeze(x, axis + 1);
        var after = new long[wide.Shape.Rank];
        after[axis + 1] = step - 1;
        var padded = g.Pad(wide, new long[wide.Shape.Rank], after);
        return g.Slice(g.Reshape(padded, x.Shape.With(axis, extent * step)), axis, 0, ((extent - 1) * step) + 1);
    }
}
