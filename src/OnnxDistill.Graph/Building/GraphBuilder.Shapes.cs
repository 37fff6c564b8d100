using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

public sealed partial class GraphBuilder
{
    /// <summary>Values joined along an axis.</summary>
    public Value Concat(long axis, params ReadOnlySpan<Value> values)
    {
        var first = values[0].Shape;
        var at = first.Axis(axis);
        var total = 0L;
        foreach (var value in values)
            total += value.Shape[at].Size;
        return Emit("Concat", values.ToArray(), values[0].Type, first.With(at, total), ("axis", (long)at));
    }

    /// <summary>x repeated to a larger shape that it broadcasts to; x itself when it has that shape.</summary>
    public Value Expand(Value x, Shape shape) => shape.Equals(x.KnownShape) ? x
        : Emit("Expand", [x, Longs(shape.Sizes())], x.Type, Shape.Broadcast(x.Shape, shape));

    /// <summary>Slices of x at the indices, along an axis.</summary>
    public Value Gather(Value x, Value indices, long axis)
    {
        var at = x.Shape.Axis(axis);
        return Emit("Gather", [x, indices], x.Type, new Shape([.. x.Shape.Take(at), .. indices.Shape, .. x.Shape.Skip(at + 1)]), ("axis", (long)at));
    }

    /// <summary>Slices of x at index tuples (the last axis of the indices).</summary>
    public Value GatherND(Value x, Value indices) => Emit("GatherND", [x, indices], x.Type,
        new Shape([.. indices.Shape.SkipLast(1), .. x.Shape.Skip((int)indices.Shape[indices.Shape.Rank - 1].Size)]));

    /// <summary>x enlarged by zeros: <paramref name="before"/> and <paramref name="after"/> give elements per axis, negative ones cut off.</summary>
    public Value Pad(Value x, ReadOnlySpan<long> before, ReadOnlySpan<long> after)
    {
        // Not a comparison of shapes: one element off in front and one more behind keep the shape, but move everything.
        if (!before.ContainsAnyExcept(0) && !after.ContainsAnyExcept(0))
            return x;
        var dims = x.Shape.ToArray();
        for (var i = 0; i < dims.Length; i++)
            dims[i] = before[i] + after[i] == 0 ? dims[i] : dims[i].Size + before[i] + after[i];
        return Emit("Pad", [x, Longs([.. before, .. after])], x.Type, new Shape(dims), ("mode", "constant"));
    }

    /// <summary>x in another shape; at most one extent may be a symbol. x itself when it already has that shape.</summary>
    public Value Reshape(Value x, Shape shape)
    {
        if (shape.Equals(x.KnownShape))
            return x;
        if (shape.Count(d => !d.IsKnown) > 1)
            throw new ArgumentException($"Reshape of {x} to {shape}: more than one unknown extent.");
        // Without allowzero an extent of 0 would mean: as x has it there.
        var isEmpty = shape.Any(static d => d is { IsKnown: true, Size: 0 });
        return Emit("Reshape", [x, Longs([.. shape.Select(d => d.IsKnown ? d.Size : -1)])], x.Type, shape, ("allowzero", isEmpty ? 1 : null));
    }

    /// <summary>x with updates added (or put) at index tuples; <paramref name="reduction"/> is none, add, mul, min or max.</summary>
    public Value ScatterND(Value x, Value indices, Value updates, string reduction = "none") =>
        Emit("ScatterND", [x, indices, updates], x.Type, x.KnownShape, ("reduction", reduction));

    /// <summary>The part [start, end) along one axis, every <paramref name="step"/>-th element; a negative step goes backwards from start.</summary>
    public Value Slice(Value x, long axis, long start, long end, long step = 1)
    {
        var at = x.Shape.Axis(axis);
        return Slice(x, [at], [start], [end], [step]);
    }

    /// <summary>Parts along several axes, in ONNX's own terms (negative numbers count from the end, out-of-range ones are clamped).</summary>
    public Value Slice(Value x, long[] axes, long[] starts, long[] ends, long[] steps)
    {
        var shape = x.Shape;
        for (var i = 0; i < axes.Length; i++)
        {
            var at = shape.Axis(axes[i]);
            shape = shape.With(at, SliceRange.Of(x.Shape[at].Size, starts[i], ends[i], steps[i]).Count);
        }
        return Emit("Slice", [x, Longs(starts), Longs(ends), Longs(axes), Longs(steps)], x.Type, shape);
    }

    /// <summary>x cut along an axis into parts of these lengths.</summary>
    public Value[] Split(Value x, long axis, params long[] lengths)
    {
        var at = x.Shape.Axis(axis);
        return EmitMany("Split", [x, Longs(lengths)], [.. lengths.Select(l => (x.Type, (Shape?)x.Shape.With(at, l)))], ("axis", (long)at));
    }

    /// <summary>x without these axes of extent 1.</summary>
    public Value Squeeze(Value x, params long[] axes)
    {
        var drop = axes.Select(a => x.Shape.Axis(a)).ToHashSet();
        return Emit("Squeeze", [x, Longs(axes)], x.Type, new Shape(x.Shape.Where((_, i) => !drop.Contains(i))));
    }

    /// <summary>x repeated a number of times along each axis.</summary>
    public Value Tile(Value x, params long[] repeats) =>
        Emit("Tile", [x, Longs(repeats)], x.Type, new Shape(x.Shape.Select((d, i) => repeats[i] == 1 ? d : d.Size * repeats[i])));

    /// <summary>x with its axes in another order.</summary>
    public Value Transpose(Value x, params long[] permutation) => Emit("Transpose", [x], x.Type,
        x.KnownShape is { } shape ? new Shape(permutation.Select(p => shape[(int)p])) : null, ("perm", permutation));

    /// <summary>x with its last two axes swapped.</summary>
    public Value TransposeLast(Value x)
    {
        var order = Enumerable.Range(0, x.Shape.Rank).Select(i => (long)i).ToArray();
        (order[^1], order[^2]) = (order[^2], order[^1]);
        return Transpose(x, order);
    }

    /// <summary>x with new axes of extent 1 at these places of the result.</summary>
    public Value Unsqueeze(Value x, params long[] axes)
    {
        var rank = x.Shape.Rank + axes.Length;
        var places = axes.Select(a => a < 0 ? a + rank : a).Order().ToArray();
        var dims = x.Shape.ToList();
        foreach (var place in places)
            dims.Insert((int)place, 1);
        return Emit("Unsqueeze", [x, Longs(axes)], x.Type, new Shape(dims));
    }
}
