using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Pools of windows.</summary>
/// <remarks>A window that would start behind the input and its first pads is left out in ceil_mode. Newer opsets say so and ONNX Runtime does so at
/// every opset, but what it tells of older opsets' shapes counts that window. So ceil_mode goes wherever it changes nothing.</remarks>
internal static class PoolingConversions
{
    /// <summary>MaxPool, rid of a ceil_mode that does nothing.</summary>
    public static void Max(NodeRewriter r)
    {
        if (Rests(r)?.TrueForAll(static rest => rest == 0) == true)
            r.Replace(r.Node.OpType, r.Node.Inputs, r.Node.Attributes.With("ceil_mode", null));
        else
            r.Keep();
    }

    /// <summary>AveragePool, rid of a ceil_mode that does nothing. From 19 on it may skip elements of its window: then it is a convolution of each
    /// channel with ones, over the number of elements that count.</summary>
    public static void Average(NodeRewriter r)
    {
        var attributes = r.Node.Attributes;
        var rests = Rests(r);
        var isIdle = rests?.TrueForAll(static rest => rest == 0) == true;
        if (attributes.Ints("dilations")?.Any(static d => d != 1) != true)
        {
            r.Replace(r.Node.OpType, r.Node.Inputs, (isIdle ? attributes.With("ceil_mode", null) : attributes).With("dilations", null));
            return;
        }
        if (attributes.Ints("kernel_shape") is not { } kernel)
        {
            r.Refuse("averages over dilated windows need a kernel_shape");
            return;
        }
        if (r.X.KnownShape is not { Rank: > 2 } shape || !shape[1].IsKnown || (rests is null && attributes.Int("ceil_mode", 0) != 0))
        {
            r.RefuseWithoutShapes("its number of channels or, for ceil_mode, of places");
            return;
        }
        Dilated(r, shape, kernel, rests ?? [.. kernel.Select(static _ => 0L)]);
    }

    private static void Dilated(NodeRewriter r, Shape shape, long[] kernel, List<long> rests)
    {
        var channels = shape[1].Size;
        var pads = r.Node.Attributes.Ints("pads") ?? new long[2 * kernel.Length];
        var settings = r.Node.Attributes.With("count_include_pad", null).With("ceil_mode", null).With("group", channels);
        var hasRest = rests.Exists(static rest => rest > 0);
        if (hasRest)
            settings = settings.With("pads", Longer(pads, rests));
        Value Filled(string role, params long[] dims) => r.Emit("Expand", role, [r.Scalar($"{role}_one", 1), r.Constant($"{role}_shape", dims)]);
        var sum = r.Emit("Conv", "sum", [r.X, Filled("ones", [channels, 1, .. kernel])], settings);
        var all = r.Scalar("count", kernel.Aggregate(1L, static (a, b) => a * b));
        if (r.Node.Attributes.Int("count_include_pad", 0) == 0)
        {
            var everywhere = r.Emit("Expand", "everywhere", [r.Scalar("one", 1), r.Concat("one_shape", 0, r.Constant("one_one", 1, 1), r.Extents(r.X, "space", 2, shape.Rank))]);
            all = r.Emit("Conv", "counts", [everywhere, Filled("window", [1, 1, .. kernel])], settings.With("group", 1));
        }
        else if (hasRest)
        {
            // The pads that the node asks for count, those that ceil_mode adds do not.
            var padded = Filled("padded", [1, 1, .. kernel.Select((_, i) => shape[i + 2].Size + pads[i] + pads[kernel.Length + i])]);
            all = r.Emit("Conv", "counts", [padded, Filled("window", [1, 1, .. kernel])],
                settings.With("group", 1).With("pads", Longer(new long[2 * kernel.Length], rests)));
        }
        r.Finish(r.Div(sum, all, "mean"));
    }

    /// <summary>How far the last window of each axis reaches beyond the pads because of ceil_mode; null where that cannot be told.</summary>
    private static List<long>? Rests(NodeRewriter r)
    {
        var attributes = r.Node.Attributes;
        if (attributes.Int("ceil_mode", 0) == 0 || attributes.Ints("kernel_shape") is not { } kernel || r.X.KnownShape is not { } shape
            || shape.Rank != kernel.Length + 2 || shape.Skip(2).Any(static d => !d.IsKnown))
            return null;
        if (attributes.Text("auto_pad", "NOTSET").StartsWith("SAME", StringComparison.Ordinal))
            return [.. kernel.Select(static _ => 0L)]; // as many windows as strides fit, whatever ceil_mode says
        var pads = attributes.Ints("pads") ?? new long[2 * kernel.Length];
        return [.. kernel.Select((size, i) =>
        {
            var stride = attributes.Ints("strides")?[i] ?? 1;
            var span = ((attributes.Ints("dilations")?[i] ?? 1) * (size - 1)) + 1;
            var room = shape[i + 2].Size + pads[i] + pads[kernel.Length + i] - span;
            var last = (room + stride - 1) / stride * stride;
            return last >= shape[i + 2].Size + pads[i] ? 0 : last - room;
        })];
    }

    private static long[] Longer(long[] pads, List<long> rests) => [.. pads.Select((pad, i) => i < rests.Count ? pad : pad + rests[i - rests.Count])];
}
