using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// Y = Conv(X, W) + bias. dX is a convolution of dY with the kernel turned round, which ONNX Runtime's CPU provider runs 1.1 to 3.8 times as fast as the
/// ConvTranspose that it equals (2 cores, 3x3 kernels, 32 to 128 channels, 8x8 to 32x32 places); strided ones stay a ConvTranspose. Where the
/// kernel is one point, all are matrix products.
/// </summary>
internal sealed class ConvRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, weight) = (node.Input(0), node.Input(1));
        var options = ConvOptions.Of(node);
        var dx = ConvGradients.IsPointwise(weight.Shape, options) ? Pointwise(g, weight, dy, x.Shape)
            : Turned(weight.Shape, options) is { } turned ? g.Conv(dy, Turn(g, weight, options.Group), null, turned)
            : Transposed(g, weight, dy, x.Shape, options);
        return [dx, ConvWeightGradient.Of(g, x, dy, weight.Shape, options, context.Target), .. ConvGradients.Bias(g, node, dy)];
    }

    // dX[c, q] = sum over o and k of dY[o, q + pad - k] W[o, c, k]: with k' = span - 1 - k this is a convolution padded by what the first one left.
    private static ConvOptions? Turned(Shape weight, ConvOptions options)
    {
        if (Array.Exists(options.Strides, static s => s != 1))
            return null;
        var rank = options.Rank;
        var pads = options.Pads.Select((pad, i) => options.Span(i % rank, weight[(i % rank) + 2].Size) - 1 - pad).ToArray();
        return Array.TrueForAll(pads, static p => p >= 0) ? options with { Pads = pads } : null;
    }

    // [groups O, C, k...] to [groups C, O, k turned round...].
    private static Value Turn(GraphBuilder g, Value weight, long groups)
    {
        var shape = weight.Shape;
        var (outputs, channels, offsets) = (shape[0].Size / groups, shape[1].Size, ConvGradients.Positions(shape));
        var flat = g.Reshape(weight, Shape.Of(groups, outputs, channels, offsets));
        // Turning every axis round turns their common index round.
        var turned = g.Slice(flat, 3, offsets - 1, -offsets - 1, -1);
        return g.Reshape(g.Transpose(turned, 0, 2, 1, 3), new Shape([groups * channels, outputs, .. shape.Skip(2)]));
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
        return [g.Conv(dy, weight, null, options), ConvWeightGradient.Of(g, dy, x, weight.Shape, options, context.Target), .. ConvGradients.Bias(g, node, dy)];
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

    /// <summary>Product of extents.</summary>
    public static long Product(long[] extents) => extents.Aggregate(1L, static (n, e) => n * e);
}
