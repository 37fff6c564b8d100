using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>
/// DeformConv (opset 19), Zhu et al., "Deformable ConvNets v2" (2018): each kernel offset sees the image at a place of its own, moved by
/// the offsets and read bilinearly, zero outside. Here: gather the four neighbours, weigh them, and multiply by the weights as one matrix
/// a group. Gradients reach the offsets through the weights of the neighbours.
/// </summary>
internal sealed class DeformConvConversion
{
    private readonly NodeRewriter _r;
    private readonly long[] _image, _weight, _kernel, _places;
    private readonly long _offsetGroups;

    private DeformConvConversion(NodeRewriter r)
    {
        _r = r;
        (_image, _weight) = (SizesAfterBatch(r.X), r.Node.Input(1).Shape.Sizes());
        _kernel = _weight[2..];
        _offsetGroups = r.Node.Attributes.Int("offset_group", 1);
        _places = [.. Enumerable.Range(0, 2).Select(axis => ((_image[axis + 1] + Pad(axis) + Pad(axis + 2) - ((_kernel[axis] - 1) * Dilation(axis)) - 1) / Stride(axis)) + 1)];
    }

    private long Points => _kernel[0] * _kernel[1];

    private long Positions => _places[0] * _places[1];

    // A border of zeros of one element is what every place outside the image falls on.
    private long Height => _image[1] + 2;

    private long Width => _image[2] + 2;

    /// <summary>In terms of Gather and MatMul.</summary>
    public static void Lower(NodeRewriter r)
    {
        if (r.X.KnownShape is not { Rank: 4 } x || x.Skip(1).Any(static d => !d.IsKnown) || r.Node.Input(1).KnownShape is not { Rank: 4, IsStatic: true })
            r.Refuse("only images [N, C, H, W] of known extents with weights of a known shape are possible; normalise the model first");
        else
            new DeformConvConversion(r).Emit();
    }

    private void Emit()
    {
        var groups = _r.Node.Attributes.Int("group", 1);
        var inner = _image[0] / groups * Points;
        // [N, offset groups, points, positions, channels] to [N, groups, channels and points, positions].
        var channelsFirst = _r.Emit("Transpose", "channels_first", [Sampled()], new AttributeMap(("perm", new long[] { 0, 1, 4, 2, 3 })));
        var columns = _r.Reshape(channelsFirst, "columns", [-1, groups, inner, Positions]);
        var weights = _r.Reshape(_r.Node.Input(1), "weights", [groups, _weight[0] / groups, inner]);
        var product = _r.Emit("MatMul", "product", [weights, columns]);
        long[] shape = [-1, _weight[0], .. _places];
        if (_r.Node.OptionalInput(3) is { } bias)
            _r.Replace("Add", [_r.Reshape(product, "plain", shape), _r.Reshape(bias, "bias", [_weight[0], 1, 1])]);
        else
            _r.Replace("Reshape", [product, _r.Constant("shape", shape)]);
    }

    /// <summary>What each kernel offset sees: [N, offset groups, points, positions, channels].</summary>
    private Value Sampled()
    {
        var rows = Rows();
        var offsets = _r.Reshape(_r.Node.Input(2), "offsets", [-1, _offsetGroups, Points, 2, Positions]);
        var (y, x) = (Axis(offsets, 0, Height), Axis(offsets, 1, Width));
        var mask = _r.Node.OptionalInput(4) is { } given ? _r.Reshape(given, "mask", [-1, _offsetGroups, Points, Positions]) : null;
        var first = FirstRows();
        Value? sum = null;
        foreach (var (row, height) in y)
        {
            var line = _r.Emit("Add", "line", [first, _r.Emit("Mul", "row_start", [row, _r.Constant("width", Width)], type: ElementType.Int64)], type: ElementType.Int64);
            var masked = mask is null ? height : _r.Binary("Mul", height, mask, "masked");
            foreach (var (column, width) in x)
            {
                var index = _r.Emit("Add", "index", [line, column], type: ElementType.Int64);
                var seen = _r.Emit("Gather", "seen", [rows, index], new AttributeMap(("axis", 0)));
                var weight = _r.Emit("Unsqueeze", "weight", [_r.Binary("Mul", masked, width, "area"), _r.Constant("last", -1)]);
                var part = _r.Binary("Mul", seen, weight, "part");
                sum = sum is null ? part : _r.Binary("Add", sum, part, "sum");
            }
        }
        return sum!;
    }

    /// <summary>The bordered image as rows of channels, a row a pixel of each sample and offset group.</summary>
    private Value Rows()
    {
        var bordered = _r.Emit("Pad", "bordered", [_r.X, _r.Constant("border", 0, 0, 1, 1, 0, 0, 1, 1)]);
        var channels = _image[0] / _offsetGroups;
        var split = _r.Reshape(bordered, "split", [-1, _offsetGroups, channels, Height * Width]);
        var pixels = _r.Emit("Transpose", "pixels", [split], new AttributeMap(("perm", new long[] { 0, 1, 3, 2 })));
        return _r.Reshape(pixels, "rows", [-1, channels]);
    }

    /// <summary>The row at which each sample and offset group begins: [N, offset groups, 1, 1].</summary>
    private Value FirstRows()
    {
        var batch = _r.Emit("Gather", "batch", [_r.ShapeOf(_r.X, "x_shape"), _r.Constant("first", TensorData.Of([0L]))], type: ElementType.Int64);
        Value Number(string role, long number) => _r.Constant(role, TensorData.Of([number]));
        var images = _r.Emit("Mul", "images", [batch, Number("offset_groups", _offsetGroups)], type: ElementType.Int64);
        var range = _r.Emit("Range", "image", [Number("zero_image", 0), images, Number("one_image", 1)], type: ElementType.Int64);
        var starts = _r.Emit("Mul", "starts", [range, Number("pixels_of_image", Height * Width)], type: ElementType.Int64);
        return _r.Emit("Reshape", "first_rows", [starts, _r.Constant("first_rows_shape", -1, _offsetGroups, 1, 1)], type: ElementType.Int64);
    }

    /// <summary>Both neighbours along an axis (0 down, 1 across): index into the bordered image, and weight.</summary>
    private (Value Index, Value Weight)[] Axis(Value offsets, int axis, long extent)
    {
        var moved = _r.Emit("Gather", "moved", [offsets, _r.Constant("axis", TensorData.Of([(long)axis]))], new AttributeMap(("axis", 3)));
        var place = _r.Binary("Add", moved, _r.Constant("grid", Grid(axis)), "place");
        var low = _r.Unary("Floor", place, "low");
        var high = _r.Binary("Add", low, _r.Scalar("one", 1), "high");
        return [(Index(low), _r.Binary("Sub", high, place, "weight_low")), (Index(high), _r.Binary("Sub", place, low, "weight_high"))];

        // Far outside is as good as the border.
        Value Index(Value whole) => _r.Emit("Cast", "pixel", [_r.Emit("Clip", "inside", [whole, _r.Scalar("least", 0), _r.Scalar("most", extent - 1)])],
            new AttributeMap(("to", ElementType.Int64)), type: ElementType.Int64);
    }

    /// <summary>Where each kernel offset lies on the bordered image without any offset: [points, positions].</summary>
    private TensorData Grid(int axis)
    {
        var grid = new double[Points * Positions];
        for (var point = 0L; point < Points; point++)
        {
            var kernel = axis == 0 ? point / _kernel[1] : point % _kernel[1];
            for (var position = 0L; position < Positions; position++)
            {
                var place = axis == 0 ? position / _places[1] : position % _places[1];
                grid[(point * Positions) + position] = (place * Stride(axis)) - Pad(axis) + (kernel * Dilation(axis)) + 1;
            }
        }
        var data = TensorData.Of(grid, Points, Positions);
        return _r.Type == ElementType.Float64 ? data : data.ToFloat32();
    }

    private long Stride(int axis) => _r.Node.Attributes.Ints("strides")?[axis] ?? 1;

    private long Dilation(int axis) => _r.Node.Attributes.Ints("dilations")?[axis] ?? 1;

    private long Pad(int index) => _r.Node.Attributes.Ints("pads")?[index] ?? 0;

    private static long[] SizesAfterBatch(Value x) => [.. x.Shape.Skip(1).Select(static d => d.Size)];
}
