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

    /// <summary>The options of a Conv or ConvTranspose node, with auto_pad resolved to pads.</summary>
    public static ConvOptions Of(Node node)
    {
        var weight = node.Input(1).Shape;
        var rank = weight.Rank - 2;
        var options = new ConvOptions
        {
            Strides = node.Attributes.Ints("strides") ?? [],
            Dilations = node.Attributes.Ints("dilations") ?? [],
            Pads = node.Attributes.Ints("pads") ?? [],
            Group = node.Attributes.Int("group", 1),
        }.For(rank);
        var automatic = node.Attributes.Text("auto_pad", "NOTSET");
        if (automatic is "NOTSET" or "VALID" || node.OpType != "Conv")
            return options;
        var pads = new long[2 * rank];
        for (var i = 0; i < rank; i++)
        {
            var extent = node.Input(0).Shape[i + 2].Size;
            var stride = options.Strides[i];
            var total = Math.Max(0, (((extent + stride - 1) / stride) - 1) * stride + options.Span(i, weight[i + 2].Size) - extent);
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
