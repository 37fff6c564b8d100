using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// Y = Conv(X, W) + bias: dX by ConvTranspose, dW by im2col and a batched matrix product summed over the batch; of the forms measured
/// in plain ONNX Runtime (design.md section 3) these were most often the fastest. Where the kernel is one point, both are matrix products.
/// </summary>
internal sealed class ConvRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, weight) = (node.Input(0), node.Input(1));
        var options = ConvOptions.Of(node);
        var dx = ConvGradients.IsPointwise(weight.Shape, options) ? Pointwise(g, weight, dy, x.Shape) : Transposed(g, weight, dy, x.Shape, options);
        return [dx, ConvGradients.Weight(g, x, dy, weight.Shape, options), .. ConvGradients.Bias(g, node, dy)];
    }

    private static Value Transposed(GraphBuilder g, Value weight, Value dy, Shape x, ConvOptions options)
    {
        // Rows and columns that a strided kernel never reached come back as output padding.
        var unreached = Enumerable.Range(0, options.Rank).Select(i =>
            x[i + 2].Size - options.InputExtent(i, dy.Shape[i + 2].Size, weight.Shape[i + 2].Size)).ToArray();
        return g.ConvTranspose(dy, weight, options, unreached);
    }

    // W' [C, O] times each sample's [O, positions].
    private static Value Pointwise(GraphBuilder g, Value weight, Value dy, Shape x)
    {
        var (outputs, channels) = (weight.Shape[0].Size, weight.Shape[1].Size);
        var rows = g.Reshape(dy, Shape.Of(dy.Shape[0].Size, outputs, ConvGradients.Positions(dy.Shape)));
        return g.Reshape(g.MatMul(g.TransposeLast(g.Reshape(weight, Shape.Of(outputs, channels))), rows), x);
    }
}

/// <summary>Y = ConvTranspose(X, W) + bias: dX by Conv, dW as for the Conv that leads from dY to X.</summary>
internal sealed class ConvTransposeRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, weight) = (node.Input(0), node.Input(1));
        // Output padding needs no thought: ONNX Runtime takes less than a stride of it, in which a Conv finds no further place.
        var options = ConvOptions.Of(node);
        return [g.Conv(dy, weight, null, options), ConvGradients.Weight(g, dy, x, weight.Shape, options), .. ConvGradients.Bias(g, node, dy)];
    }
}

/// <summary>Pieces that Conv and ConvTranspose share.</summary>
internal static class ConvGradients
{
    public static Value?[] Bias(GraphBuilder g, Node node, Value dy) => node.Inputs.Length < 3 ? []
        : [node.Inputs[2] is null ? null : g.ReduceSum(dy, [0, .. Enumerable.Range(2, dy.Shape.Rank - 2).Select(i => (long)i)], keepDims: false)];

    /// <summary>Whether each output position sees the input position of the same index and nothing else.</summary>
    public static bool IsPointwise(Shape weight, ConvOptions options) => options.Group == 1
        && weight.Skip(2).All(static k => k == 1) && Array.TrueForAll(options.Strides, static s => s == 1)
        && Array.TrueForAll(options.Pads, static p => p == 0);

    /// <summary>Number of places in [N, C, spatial...].</summary>
    public static long Positions(Shape shape) => Product(shape.Sizes()[2..]);

    /// <summary>The gradient of W [O, C/groups, kernel...] for Y [N, O, ...] = Conv(X [N, C, ...], W).</summary>
    public static Value Weight(GraphBuilder g, Value x, Value dy, Shape weight, ConvOptions options)
    {
        var (batch, groups, outputs, channels) = (dy.Shape[0].Size, options.Group, weight[0].Size / options.Group, weight[1].Size);
        var positions = Positions(dy.Shape);
        var shifted = Shifted(g, x, weight.Sizes()[2..], dy.Shape.Sizes()[2..], options);
        if (groups > 1 && channels == 1)
            return Depthwise(g, shifted, g.Reshape(dy, Shape.Of(batch, groups, outputs, positions)), weight);
        // All groups are one batched product: [N, groups, O/groups, positions] by [N, groups, kernel offsets * C/groups, positions]'.
        long[] lead = groups == 1 ? [batch] : [batch, groups];
        var columns = g.Concat(lead.Length, [.. shifted.Select(v => g.Reshape(v, Shape.Of([.. lead, channels, positions])))]);
        var perSample = g.MatMul(g.Reshape(dy, Shape.Of([.. lead, outputs, positions])), g.TransposeLast(columns));
        var sum = g.ReduceSum(perSample, [0], keepDims: false);
        // Columns run over (kernel offset, channel); weights over (channel, kernel offset).
        var split = g.Reshape(sum, Shape.Of(groups * outputs, shifted.Length, channels));
        return g.Reshape(shifted.Length == 1 ? split : g.Transpose(split, 0, 2, 1), weight);
    }

    // Each weight multiplies one channel at one offset: a product of vectors. As a sum of an elementwise product it takes from nine
    // tenths down to a third of the time of ONNX Runtime's batched product of single rows (2 cores, kernels of 3 and 5, 32 to 512 channels).
    private static Value Depthwise(GraphBuilder g, Value[] shifted, Value dy, Shape weight)
    {
        var seen = Shape.Of(dy.Shape[0], dy.Shape[1], 1, dy.Shape[3]);
        var perSample = g.Concat(3, [.. shifted.Select(v => g.ReduceSum(g.Mul(dy, g.Reshape(v, seen)), [3]))]);
        return g.Reshape(g.ReduceSum(perSample, [0], keepDims: false), weight);
    }

    /// <summary>What each kernel offset sees of x, over the output's places.</summary>
    private static Value[] Shifted(GraphBuilder g, Value x, long[] kernel, long[] places, ConvOptions options)
    {
        var rank = options.Rank;
        var padded = g.Pad(x, [0, 0, .. options.Pads[..rank]], [0, 0, .. options.Pads[rank..]]);
        if (Product(kernel) == 1 && padded.Shape.Sizes()[2..].AsSpan().SequenceEqual(places))
            return [padded];
        var axes = Enumerable.Range(2, rank).Select(i => (long)i).ToArray();
        return [.. Offsets(kernel).Select(offset =>
        {
            var starts = axes.Select((_, i) => offset[i] * options.Dilations[i]).ToArray();
            var ends = starts.Select((start, i) => start + ((places[i] - 1) * options.Strides[i]) + 1).ToArray();
            return g.Slice(padded, axes, starts, ends, options.Strides);
        })];
    }

    private static IEnumerable<long[]> Offsets(long[] kernel)
    {
        var offset = new long[kernel.Length];
        for (var i = Product(kernel); i > 0; i--)
        {
            yield return (long[])offset.Clone();
            for (var axis = kernel.Length - 1; axis >= 0 && ++offset[axis] == kernel[axis]; axis--)
                offset[axis] = 0;
        }
    }

    private static long Product(long[] extents) => extents.Aggregate(1L, static (n, e) => n * e);
}
