using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Normalisations. The type in which newer forms keep their statistics (stash_type) is float32, as is everything inside
/// OnnxDistill.</summary>
internal static class NormalizationConversions
{
    /// <summary>BatchNormalization before 14: it was in inference mode unless its further outputs were asked for.</summary>
    public static void Batch(NodeRewriter r)
    {
        if (Enumerable.Range(1, Math.Max(0, r.Node.Outputs.Length - 1)).Any(r.Uses))
            r.Refuse("it is in training mode (its statistics are used)");
        else if (r.Node.Attributes.Int("spatial", 1) == 0)
            r.Refuse("it normalises each position on its own (spatial = 0), which opset 9 removed");
        else
            r.Replace(r.Node.OpType, r.Node.Inputs, r.Node.Attributes.With("spatial", null), outputs: 1);
    }

    /// <summary>GroupNormalization: an instance normalisation of [N, groups, rest], where one group is one instance. Opset 18 scales
    /// each group,
    /// 21 (which replaced it for that reason) each channel.</summary>
    public static void Group(NodeRewriter r)
    {
        var groups = r.Node.Attributes.Int("num_groups", 0);
        var (scale, bias) = (r.Node.Input(1), r.Node.Input(2));
        var epsilon = new AttributeMap(("epsilon", r.Node.Attributes.Float("epsilon", 1e-5f)));
        var channels = r.Opset >= 21 ? ChannelCount(scale, r.X) : null;
        if (groups <= 0)
        {
            r.Refuse("it has no num_groups");
            return;
        }
        if (r.Opset >= 21 && channels is null)
        {
            r.RefuseWithoutShapes("its number of channels");
            return;
        }
        var grouped = r.Reshape(r.X, "grouped", [0, groups, -1], Split(r.X.KnownShape, groups));
        if (channels is null)
        {
            var scaledGroups = r.Emit("InstanceNormalization", "normalized", [grouped, scale, bias], epsilon, grouped.KnownShape);
            r.Replace("Reshape", [scaledGroups, r.ShapeOf(r.X, "shape")]);
            return;
        }
        var ones = r.Emit("Expand", "ones", [r.Scalar("one", 1), r.Constant("groups", groups)], shape: Shape.Of(groups));
        var zeros = r.Emit("Expand", "zeros", [r.Scalar("zero", 0), r.Constant("groups", groups)], shape: Shape.Of(groups));
        var normalized = r.Emit("InstanceNormalization", "normalized", [grouped, ones, zeros], epsilon, grouped.KnownShape);
        var byChannel = r.Reshape(normalized, "by_channel", [0, channels.Value, -1], Split(r.X.KnownShape, channels.Value));
        var scaled = r.Binary("Mul", byChannel, PerChannel(scale, "scale"), "scaled");
        r.Replace("Reshape", [r.Binary("Add", scaled, PerChannel(bias, "bias"), "shifted"), r.ShapeOf(r.X, "shape")]);

        Value PerChannel(Value v, string role) => r.Reshape(v, role, [channels.Value, 1], Shape.Of(channels.Value, 1));
    }

    /// <summary>RMSNormalization (opset 23), SimplifiedLayerNormalization before: x / sqrt(mean(x^2) + epsilon) * scale over the axes from the given
    /// one on.</summary>
    public static void RootMeanSquare(NodeRewriter r)
    {
        var axis = r.Node.Attributes.Int("axis", -1);
        if (axis >= 0 && r.X.KnownShape is null)
        {
            r.RefuseWithoutShapes("the rank of its input, from whose front its axis counts,");
            return;
        }
        var (normalized, inverse) = OverRootMeanSquare(r, r.X, axis < 0 ? axis : axis - r.X.Shape.Rank);
        r.Replace("Mul", [normalized, r.Node.Input(1)], outputs: 1);
        r.Finish(inverse, 1);
    }

    /// <summary>x times the inverse of its root mean square, and that inverse; the axis counts from the back.</summary>
    public static (Value Normalized, Value Inverse) OverRootMeanSquare(NodeRewriter r, Value x, long axis)
    {
        long[] axes = [.. Enumerable.Range((int)axis, -(int)axis).Select(static a => (long)a)];
        var reduced = axes.Aggregate(x.KnownShape, static (shape, a) => shape?.With(shape.Axis(a), 1));
        var meanSquare = r.Emit("ReduceMean", "mean_square", [r.Mul(x, x, "square"), r.Constant("axes", axes)], new AttributeMap(("keepdims", 1)), reduced);
        var stable = r.Add(meanSquare, r.Scalar("epsilon", r.Node.Attributes.Float("epsilon", 1e-5f)), "stable");
        var inverse = r.Unary("Reciprocal", r.Unary("Sqrt", stable, "rms"), "inverse_rms");
        return (r.Mul(x, inverse, "normalized"), inverse);
    }

    private static long? ChannelCount(Value scale, Value x) =>
        scale.KnownShape is { Rank: 1 } perChannel && perChannel[0].IsKnown ? perChannel[0].Size
        : x.KnownShape is { Rank: > 1 } shape && shape[1].IsKnown ? shape[1].Size
        : null;

    /// <summary>[N, parts, rest], where everything after N is known.</summary>
    private static Shape? Split(Shape? shape, long parts)
    {
        if (shape is null || shape.Skip(1).Any(static d => !d.IsKnown))
            return null;
        return Shape.Of(shape[0], parts, shape.Skip(1).Aggregate(1L, static (product, d) => product * d.Size) / parts);
    }
}
