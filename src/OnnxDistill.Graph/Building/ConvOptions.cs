using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

/// <summary>Strides, dilations, pads (begin of each axis, then end of each) and groups of a convolution; empty lists mean 1, 1 and 0.</summary>
public sealed record ConvOptions
{
    /// <summary>Step of the kernel, per spatial axis.</summary>
    public long[] Strides { get; init; } = [];
    /// <summary>Distance between kernel elements, per spatial axis.</summary>
    public long[] Dilations { get; init; } = [];
    /// <summary>Zeros added: begins, then ends.</summary>
    public long[] Pads { get; init; } = [];
    /// <summary>Number of channel groups.</summary>
    public long Group { get; init; } = 1;

    /// <summary>Number of spatial axes, once filled in.</summary>
    public int Rank => Strides.Length;

    /// <summary>The options with defaults written out for that many spatial axes.</summary>
    public ConvOptions For(int rank) => this with
    {
        Strides = Strides.Length == 0 ? Ones(rank) : Strides,
        Dilations = Dilations.Length == 0 ? Ones(rank) : Dilations,
        Pads = Pads.Length == 0 ? new long[2 * rank] : Pads,
    };

    /// <summary>The options of a Conv or ConvTranspose node, with auto_pad and output_shape resolved to pads.</summary>
    public static ConvOptions Of(Node node)
    {
        var (x, weight) = (node.Input(0).Shape, node.Input(1).Shape);
        var rank = weight.Rank - 2;
        var options = new ConvOptions
        {
            Strides = node.Attributes.Ints("strides") ?? [],
            Dilations = node.Attributes.Ints("dilations") ?? [],
            Group = node.Attributes.Int("group", 1),
        }.For(rank);
        var automatic = node.Attributes.Text("auto_pad", "NOTSET");
        var isTransposed = node.OpType == "ConvTranspose";
        var outputShape = isTransposed ? node.Attributes.Ints("output_shape") : null;
        if (outputShape is null && automatic is "NOTSET" or "VALID")
            return automatic == "VALID" ? options : options with { Pads = node.Attributes.Ints("pads") ?? options.Pads };

        var outputPadding = node.Attributes.Ints("output_padding");
        var pads = new long[2 * rank];
        for (var i = 0; i < rank; i++)
        {
            var (extent, kernel, stride) = (x[i + 2].Size, weight[i + 2].Size, options.Strides[i]);
            // Conv: as many outputs as strides fit into the input. ConvTranspose: what is over the wanted extent goes.
            var excess = isTransposed
                ? options.InputExtent(i, extent, kernel) + (outputPadding?[i] ?? 0) - (outputShape?[outputShape.Length - rank + i] ?? extent * stride)
                : (((extent + stride - 1) / stride) - 1) * stride + options.Span(i, kernel) - extent;
            var total = Math.Max(0, excess);
            // ONNX Runtime puts the odd one in front also where a ConvTranspose has an output_shape and no auto_pad.
            pads[i] = automatic == "SAME_UPPER" ? total / 2 : total - (total / 2);
            pads[rank + i] = total - pads[i];
        }
        return options with { Pads = pads };
    }

    /// <summary>Elements that a dilated kernel covers.</summary>
    public long Span(int axis, long kernel) => ((kernel - 1) * Dilations[axis]) + 1;

    /// <summary>Output extent of Conv for an input extent.</summary>
    public long OutputExtent(int axis, long extent, long kernel) =>
        ((extent + Pads[axis] + Pads[Rank + axis] - Span(axis, kernel)) / Strides[axis]) + 1;

    /// <summary>Output extent of ConvTranspose (without output padding) for an input extent.</summary>
    public long InputExtent(int axis, long extent, long kernel) =>
        (Strides[axis] * (extent - 1)) + Span(axis, kernel) - Pads[axis] - Pads[Rank + axis];

    private static long[] Ones(int count) => [.. Enumerable.Repeat(1L, count)];
}
