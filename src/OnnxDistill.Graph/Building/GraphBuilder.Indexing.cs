using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

public sealed partial class GraphBuilder
{
    /// <summary>Running sums along an axis; <paramref name="exclusive"/> leaves an element out of its own sum, <paramref name="reverse"/> starts at
    /// the end.</summary>
    public Value CumSum(Value x, Value axis, bool exclusive = false, bool reverse = false) =>
        Emit("CumSum", [x, axis], x.Type, x.KnownShape, ("exclusive", exclusive), ("reverse", reverse));

    /// <summary>Blocks of channels spread over height and width: [N, C b b, H, W] to [N, C, H b, W b], the block's position outermost (DCR).</summary>
    public Value DepthToSpace(Value x, long block) => Emit("DepthToSpace", [x], x.Type,
        Shape.Of(x.Shape[0], x.Shape[1].Size / (block * block), x.Shape[2].Size * block, x.Shape[3].Size * block), ("blocksize", block), ("mode", "DCR"));

    /// <summary>Elements of x whose place along the axis is an index, everything else the index's own place.</summary>
    public Value GatherElements(Value x, Value indices, long axis) => Emit("GatherElements", [x, indices], x.Type, indices.KnownShape, ("axis", axis));

    /// <summary>1 where the place along the new axis is the index, 0 elsewhere (both given by <paramref name="offAndOn"/>).</summary>
    public Value OneHot(Value indices, Value depth, Value offAndOn, long axis, Shape shape) =>
        Emit("OneHot", [indices, depth, offAndOn], offAndOn.Type, shape, ("axis", axis));

    /// <summary>The first elements of each sequence in reverse order; how many is told for each place of the batch axis.</summary>
    public Value ReverseSequence(Value x, Value lengths, long batchAxis, long timeAxis) =>
        Emit("ReverseSequence", [x, lengths], x.Type, x.KnownShape, ("batch_axis", batchAxis), ("time_axis", timeAxis));

    /// <summary>x with updates added (or put) where the place along the axis is an index; <paramref name="reduction"/> is none, add, mul, min or
    /// max.</summary>
    public Value ScatterElements(Value x, Value indices, Value updates, long axis, string reduction = "none") =>
        Emit("ScatterElements", [x, indices, updates], x.Type, x.KnownShape, ("axis", axis), ("reduction", reduction));

    /// <summary>The inverse of <see cref="DepthToSpace"/>.</summary>
    public Value SpaceToDepth(Value x, long block) => Emit("SpaceToDepth", [x], x.Type,
        Shape.Of(x.Shape[0], x.Shape[1].Size * block * block, x.Shape[2].Size / block, x.Shape[3].Size / block), ("blocksize", block));

    /// <summary>The upper (or lower) triangle of the last two axes, zeros elsewhere; <paramref name="k"/>, a scalar, shifts the diagonal.</summary>
    public Value Trilu(Value x, Value? k, bool upper) => Emit("Trilu", k is null ? [x] : [x, k], x.Type, x.KnownShape, ("upper", upper));

    /// <summary>x with its axes from <paramref name="first"/> on joined into one, <paramref name="count"/> of them.</summary>
    internal Value Join(Value x, int first, int count)
    {
        var sizes = x.Shape.Sizes();
        return Reshape(x, Shape.Of([.. sizes[..first], sizes[first..(first + count)].Aggregate(1L, static (n, d) => n * d), .. sizes[(first + count)..]]));
    }
}
