using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// Y = Conv(X, W) + bias: dX by ConvTranspose, dW by im2col and a batched matrix product summed over the batch; of the forms measured
/// in plain ONNX Runtime (design.md section 3) these were most often the fastest.
/// </summary>
internal sealed class ConvRule : IGradientRule
{
    public string? Refuses(Node node) => ConvGradients.RefusesGroups(node);

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, weight) = (node.Input(0), node.Input(1));
        var options = ConvOptions.Of(node);
        // Rows and columns that a strided kernel never reached come back as output padding.
        var unreached = Enumerable.Range(0, options.Rank).Select(i =>
            x.Shape[i + 2].Size - options.InputExtent(i, dy.Shape[i + 2].Size, weight.Shape[i + 2].Size)).ToArray();
        var dx = g.ConvTranspose(dy, weight, options, unreached);
        return [dx, ConvGradients.Weight(g, x, dy, weight.Shape, options), .. ConvGradients.Bias(g, node, dy)];
    }
}

/// <summary>Y = ConvTranspose(X, W) + bias: dX by Conv, dW as for the Conv that leads from dY to X.</summary>
internal sealed class ConvTransposeRule : IGradientRule
{
    public string? Refuses(Node node) => ConvGradients.RefusesGroups(node)
        ?? (node.Attributes.Has("output_shape") || node.Attributes.Text("auto_pad", "NOTSET") is not ("NOTSET" or "VALID")
            ? "output_shape and auto_pad are not supported yet" : null);

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, weight) = (node.Input(0), node.Input(1));
        var options = ConvOptions.Of(node);
        return [g.Conv(dy, weight, null, options), ConvGradients.Weight(g, dy, x, weight.Shape, options), .. ConvGradients.Bias(g, node, dy)];
    }
}

/// <summary>Pieces that Conv and ConvTranspose share.</summary>
internal static class ConvGradients
{
    public static string? RefusesGroups(Node node) => node.Attributes.Int("group", 1) != 1 ? "groups are not supported yet" : null;

    public static Value?[] Bias(GraphBuilder g, Node node, Value dy) => node.Inputs.Length < 3 ? []
        : [node.Inputs[2] is null ? null : g.ReduceSum(dy, [0, .. Enumerable.Range(2, dy.Shape.Rank - 2).Select(i => (long)i)], keepDims: false)];

    /// <summary>The gradient of W [O, C, kernel...] for Y [N, O, ...] = Conv(X [N, C, ...], W).</summary>
    public static Value Weight(GraphBuilder g, Value x, Value dy, Shape weight, ConvOptions options)
    {
        var rank = options.Rank;
        var (batch, outputs, channels) = (dy.Shape[0].Size, dy.Shape[1].Size, weight[1].Size);
        var kernel = weight.Sizes()[2..];
        var places = dy.Shape.Sizes()[2..];

        var padded = g.Pad(x, [0, 0, .. options.Pads[..rank]], [0, 0, .. options.Pads[rank..]]);
        var axes = Enumerable.Range(2, rank).Select(i => (long)i).ToArray();
        var shifted = Offsets(kernel).Select(offset =>
        {
            var starts = axes.Select((_, i) => offset[i] * options.Dilations[i]).ToArray();
            var ends = starts.Select((start, i) => start + ((places[i] - 1) * options.Strides[i]) + 1).ToArray();
            return g.Slice(padded, axes, starts, ends, options.Strides);
        }).ToArray();

        var positions = places.Aggregate(1L, static (n, p) => n * p);
        var columns = shifted.Length == 1 ? shifted[0] : g.Concat(1, shifted);
        var perSample = g.MatMul(g.Reshape(dy, Shape.Of(batch, outputs, positions)),
            g.TransposeLast(g.Reshape(columns, Shape.Of(batch, shifted.Length * channels, positions))));
        var sum = g.ReduceSum(perSample, [0], keepDims: false);
        // Columns run over (kernel offset, channel); weights over (channel, kernel offset).
        var split = g.Reshape(sum, Shape.Of(outputs, shifted.Length, channels));
        return g.Reshape(shifted.Length == 1 ? split : g.Transpose(split, 0, 2, 1), weight);
    }

    private static IEnumerable<long[]> Offsets(long[] kernel)
    {
        var offset = new long[kernel.Length];
        for (var i = kernel.Aggregate(1L, static (n, k) => n * k); i > 0; i--)
        {
            yield return (long[])offset.Clone();
            for (var axis = kernel.Length - 1; axis >= 0 && ++offset[axis] == kernel[axis]; axis--)
                offset[axis] = 0;
        }
    }
}
