using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = blocks of channels spread over height and width: dx collects them again.</summary>
internal sealed class DepthToSpaceRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, dy, x) = (context.Builder, context.OutputGradient, context.Node.Input(0).Shape);
        var block = context.Node.Attributes.Int("blocksize", 1);
        if (context.Node.Attributes.Text("mode", "DCR") == "DCR")
            return [g.SpaceToDepth(dy, block)];
        // CRD: the channel is outermost, which no operator undoes.
        var cut = g.Reshape(dy, Shape.Of(x[0], dy.Shape[1], x[2], block, x[3], block));
        return [g.Reshape(g.Transpose(cut, 0, 1, 3, 5, 2, 4), x)];
    }
}

/// <summary>y = blocks of height and width moved to channels: dx spreads them again.</summary>
internal sealed class SpaceToDepthRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context) =>
        [context.Builder.DepthToSpace(context.OutputGradient, context.Node.Attributes.Int("blocksize", 1))];
}

/// <summary>y = columns [N, C k, L] added up at the places of an image [N, C, extents...] from which a kernel's windows would take them: dx takes
/// them. One slice of the padded image for each element of the kernel.</summary>
internal sealed class Col2ImRule : IGradientRule
{
    public string? Refuses(Node node) =>
        node.OptionalInput(1)?.Constant is null || node.OptionalInput(2)?.Constant is null ? "its image or block shape is not constant" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var kernel = node.Input(2).Constant!.ToLongs(); // refused otherwise
        var rank = kernel.Length;
        var strides = node.Attributes.Ints("strides") ?? [.. Enumerable.Repeat(1L, rank)];
        var dilations = node.Attributes.Ints("dilations") ?? [.. Enumerable.Repeat(1L, rank)];
        var pads = node.Attributes.Ints("pads") ?? new long[2 * rank];
        var padded = g.Pad(dy, [0, 0, .. pads[..rank]], [0, 0, .. pads[rank..]]);
        var windows = Enumerable.Range(0, rank).Select(i => ((padded.Shape[i + 2].Size - (dilations[i] * (kernel[i] - 1)) - 1) / strides[i]) + 1).ToArray();
        long[] axes = [.. Enumerable.Range(2, rank).Select(static i => (long)i)];
        var slices = new Value[kernel.Aggregate(1L, static (n, k) => n * k)];
        var columns = Shape.Of(dy.Shape[0], dy.Shape[1], 1, windows.Aggregate(1L, static (n, w) => n * w));
        for (var i = 0; i < slices.Length; i++)
        {
            var (starts, ends, rest) = (new long[rank], new long[rank], (long)i);
            for (var axis = rank - 1; axis >= 0; axis--)
            {
                (rest, var at) = Math.DivRem(rest, kernel[axis]);
                starts[axis] = at * dilations[axis];
                ends[axis] = starts[axis] + ((windows[axis] - 1) * strides[axis]) + 1;
            }
            slices[i] = g.Reshape(g.Slice(padded, axes, starts, ends, strides), columns);
        }
        var joined = slices.Length == 1 ? slices[0] : g.Concat(2, slices);
        return [g.Reshape(joined, node.Input(0).Shape), null, null];
    }
}
