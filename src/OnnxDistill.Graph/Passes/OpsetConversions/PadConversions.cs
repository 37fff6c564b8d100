using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Pad from 19 on can wrap around.</summary>
internal static class PadConversions
{
    /// <summary>Wrapping is lowered to copies of x and parts of it, joined along each axis.</summary>
    public static void Pad(NodeRewriter r)
    {
        if (r.Node.Attributes.Text("mode", "constant") != "wrap")
        {
            r.Keep();
            return;
        }
        var pads = NodeRewriter.ConstantOf(r.Node.OptionalInput(1))?.ToLongs();
        var given = r.Node.OptionalInput(3);
        if (pads is null || (given is not null && NodeRewriter.ConstantOf(given) is null))
            r.Refuse("the mode 'wrap' came with opset 19, and its pads or axes are not constant");
        else if (r.X.KnownShape is not { IsStatic: true } shape)
            r.Refuse("the mode 'wrap' came with opset 19, and the shape of its input is not known; normalise the model first");
        else if (pads.All(static n => n == 0))
            r.Replace("Identity", [r.X]);
        else
            r.Lower(g => Wrap(g, r.X, pads, NodeRewriter.ConstantOf(given)?.ToLongs() ?? [.. Enumerable.Range(0, shape.Rank).Select(static a => (long)a)]));
    }

    private static Value Wrap(GraphBuilder g, Value x, long[] pads, long[] axes)
    {
        for (var i = 0; i < axes.Length; i++)
        {
            var (axis, before, after) = (x.Shape.Axis(axes[i]), pads[i], pads[axes.Length + i]);
            if (before < 0 || after < 0)
                x = g.Slice(x, axis, Math.Max(0, -before), x.Shape[axis].Size - Math.Max(0, -after));
            if (before > 0 || after > 0)
                x = Wrap(g, x, axis, Math.Max(0, before), Math.Max(0, after));
        }
        return x;
    }

    private static Value Wrap(GraphBuilder g, Value x, int axis, long before, long after)
    {
        var extent = x.Shape[axis].Size;
        var copies = 1 + (before / extent) + (after / extent);
        List<Value> parts = [.. Enumerable.Repeat(x, (int)copies)];
        if (before % extent > 0)
            parts.Insert(0, g.Slice(x, axis, extent - (before % extent), extent));
        if (after % extent > 0)
            parts.Add(g.Slice(x, axis, 0, after % extent));
        return g.Concat(axis, [.. parts]);
    }
}
