using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

public sealed partial class GraphBuilder
{
    /// <summary>Convolution of [N, C, spatial...] with weights [O, C/group, kernel...].</summary>
    public Value Conv(Value x, Value weight, Value? bias = null, ConvOptions? options = null)
    {
        var o = (options ?? new ConvOptions()).For(weight.Shape.Rank - 2);
        var spatial = Enumerable.Range(0, o.Rank).Select(i => (Dim)o.OutputExtent(i, x.Shape[i + 2].Size, weight.Shape[i + 2].Size));
        return Emit("Conv", bias is null ? [x, weight] : [x, weight, bias], x.Type, new Shape([x.Shape[0], weight.Shape[0], .. spatial]),
            ("strides", o.Strides), ("dilations", o.Dilations), ("pads", o.Pads), ("group", o.Group), ("kernel_shape", weight.Shape.Sizes()[2..]));
    }

    /// <summary>The transpose of <see cref="Conv"/>: [N, O, spatial...] with the same weights [O, C/group, kernel...] to [N, C, spatial...].</summary>
    public Value ConvTranspose(Value x, Value weight, ConvOptions options, ReadOnlySpan<long> outputPadding)
    {
        var o = options.For(weight.Shape.Rank - 2);
        var dims = new List<Dim> { x.Shape[0], weight.Shape[1].Size * o.Group };
        for (var i = 0; i < o.Rank; i++)
            dims.Add(o.InputExtent(i, x.Shape[i + 2].Size, weight.Shape[i + 2].Size) + outputPadding[i]);
        return Emit("ConvTranspose", [x, weight], x.Type, new Shape(dims), ("strides", o.Strides), ("dilations", o.Dilations), ("pads", o.Pads),
            ("output_padding", outputPadding.ToArray()), ("group", o.Group), ("kernel_shape", weight.Shape.Sizes()[2..]));
    }

    /// <summary>The mean over blocks of places that tile [N, C, spatial...].</summary>
    public Value AveragePool(Value x, params long[] block) => Emit("AveragePool", [x], x.Type,
        new Shape([x.Shape[0], x.Shape[1], .. block.Select((k, i) => (Dim)(x.Shape[i + 2].Size / k))]), ("kernel_shape", block), ("strides", block));

    /// <summary>Each place of [N, C, spatial...] repeated: nearest-neighbour interpolation by whole factors.</summary>
    public Value RepeatPlaces(Value x, params long[] factors) => Emit("Resize",
        [x, null, Constant(TensorData.Of([1f, 1f, .. factors.Select(f => (float)f)], factors.Length + 2))], x.Type,
        new Shape([x.Shape[0], x.Shape[1], .. factors.Select((f, i) => (Dim)(x.Shape[i + 2].Size * f))]),
        ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));

    /// <summary>Products summed over labels, as numpy's einsum; explicit output, no ellipsis.</summary>
    public Value Einsum(string equation, params ReadOnlySpan<Value> values)
    {
        var parts = equation.Split("->");
        var terms = parts[0].Split(',');
        var extents = new Dictionary<char, Dim>();
        for (var i = 0; i < terms.Length; i++)
            for (var j = 0; j < terms[i].Length; j++)
                extents[terms[i][j]] = values[i].Shape[j];
        return Emit("Einsum", values.ToArray(), values[0].Type, new Shape(parts[1].Select(c => extents[c])), ("equation", equation));
    }

    /// <summary>alpha * A' B' + beta * C with optional transposes; A and B are matrices, C broadcasts.</summary>
    public Value Gemm(Value a, Value b, Value? c = null, bool transposeA = false, bool transposeB = false, float alpha = 1, float beta = 1)
    {
        var rows = a.Shape[transposeA ? 1 : 0];
        var columns = b.Shape[transposeB ? 0 : 1];
        if (a.Shape[transposeA ? 0 : 1] != b.Shape[transposeB ? 1 : 0])
            throw new ArgumentException($"Gemm: the inner extents of {a} and {b} differ (transposed: {transposeA}, {transposeB}).");
        return Emit("Gemm", c is null ? [a, b] : [a, b, c], a.Type, Shape.Of(rows, columns),
            ("alpha", alpha), ("beta", beta), ("transA", transposeA), ("transB", transposeB));
    }

    /// <summary>Normalisation over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + bias.</summary>
    public Value LayerNormalization(Value x, Value scale, Value? bias, float epsilon = 1e-5f) =>
        Emit("LayerNormalization", bias is null ? [x, scale] : [x, scale, bias], x.Type, x.KnownShape, ("axis", -1), ("epsilon", epsilon));

    /// <summary>Matrix product over the last two axes, leading axes broadcast.</summary>
    public Value MatMul(Value a, Value b)
    {
        var (x, y) = (a.Shape, b.Shape);
        // Rank 1 operands take an axis of extent 1, which the result does not have.
        var left = x.Rank == 1 ? Shape.Of(1, x[0]) : x;
        var right = y.Rank == 1 ? Shape.Of(y[0], 1) : y;
        if (left[left.Rank - 1] != right[right.Rank - 2])
            throw new ArgumentException($"MatMul: the inner extents of {a} and {b} differ.");
        var lead = Shape.Broadcast(new Shape(left.SkipLast(2)), new Shape(right.SkipLast(2)));
        var dims = lead.ToList();
        if (x.Rank > 1)
            dims.Add(left[left.Rank - 2]);
        if (y.Rank > 1)
            dims.Add(right[right.Rank - 1]);
        return Emit("MatMul", [a, b], a.Type, new Shape(dims));
    }
}
