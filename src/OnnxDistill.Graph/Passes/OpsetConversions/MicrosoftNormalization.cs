using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Normalisations of ONNX Runtime's own domain, most with a residual added before.</summary>
internal static class MicrosoftNormalization
{
    /// <summary>LayerNormalization of x + skip + bias; the sum is an output too.</summary>
    public static void SkipLayer(NodeRewriter r)
    {
        var sum = r.AddIfAny(r.Add(r.X, r.Node.Input(1), "skipped"), r.Node.OptionalInput(4), "sum");
        Layer(r, sum, r.Node.Input(2), r.Node.OptionalInput(3));
        r.Finish(sum, 3);
    }

    /// <summary>The same by the root mean square alone.</summary>
    public static void SkipRootMeanSquare(NodeRewriter r)
    {
        var sum = r.AddIfAny(r.Add(r.X, r.Node.Input(1), "skipped"), r.Node.OptionalInput(3), "sum");
        var (normalized, inverse) = NormalizationConversions.OverRootMeanSquare(r, sum, -1);
        if (r.Uses(1))
        {
            r.Refuse("the mean, which this normalisation does not have, is used");
            return;
        }
        r.Finish(r.Mul(normalized, r.Node.Input(2), "scaled"));
        r.Finish(inverse, 2);
        r.Finish(sum, 3);
    }

    /// <summary>Words, positions and segments looked up, added and normalised.</summary>
    public static void Embedding(NodeRewriter r)
    {
        if (r.Uses(1))
        {
            r.Refuse("its mask index is used");
            return;
        }
        Value Look(int table, Value indices, string role) => r.Emit("Gather", role, [r.Node.Input(table), indices], type: r.Node.Input(table).Type);
        var words = Look(2, r.X, "words");
        var positions = r.Node.OptionalInput(8) ?? r.Range(r.Extent(r.X, "length", 1), "order");
        var sum = r.Emit("Add", "with_positions", [words, Look(3, positions, "positions")], type: words.Type);
        if (r.Node.OptionalInput(1) is { } segments && r.Node.OptionalInput(4) is not null)
            sum = r.Emit("Add", "with_segments", [sum, Look(4, segments, "segments")], type: words.Type);
        var normal = r.Emit("LayerNormalization", "normalized", [sum, r.Node.Input(5), r.Node.Input(6)],
            new AttributeMap(("axis", -1), ("epsilon", r.Node.Attributes.Float("epsilon", 1e-12f))), type: words.Type);
        r.Finish(normal);
        r.Finish(sum, 2);
    }

    /// <summary>Group normalisation with a scale for each channel, channels last by default, and a swish on request.</summary>
    public static void Group(NodeRewriter r) => Group(r, r.X);

    /// <summary>The same of x + skip + bias; the sum is an output too.</summary>
    public static void SkipGroup(NodeRewriter r)
    {
        var skip = r.Node.Input(3);
        if (skip.KnownShape is null)
        {
            r.RefuseWithoutShapes("the shape of what is added");
            return;
        }
        var channelsLast = r.Node.Attributes.Int("channels_last", 1) != 0;
        Value Spread(Value x, string role) => channelsLast ? x : r.Unsqueeze(x, role, -1, -2);
        if (skip.KnownShape.Rank == 2)
            skip = r.Unsqueeze(skip, "skip_everywhere", channelsLast ? [1, 2] : [2, 3]);
        var sum = r.Add(r.X, skip, "skipped");
        sum = r.AddIfAny(sum, r.Node.OptionalInput(4) is { } bias ? Spread(bias, "bias_everywhere") : null, "sum");
        Group(r, sum);
        r.Finish(sum, 1);
    }

    private static void Group(NodeRewriter r, Value given)
    {
        var groups = r.Node.Attributes.Int("groups", 0);
        var channelsLast = r.Node.Attributes.Int("channels_last", 1) != 0;
        if (groups <= 0)
        {
            r.Refuse("it has no number of groups");
            return;
        }
        var x = channelsLast ? r.Transpose(given, "channels_first", 0, 3, 1, 2) : given;
        Value Filled(double number, string role) => r.Emit("Expand", role, [r.Scalar($"{role}_one", number), r.Constant($"{role}_count", groups)]);
        var normal = r.Emit("InstanceNormalization", "normalized", [r.Reshape(x, "grouped", [0, groups, -1]), Filled(1, "ones"), Filled(0, "zeros")],
            new AttributeMap(("epsilon", r.Node.Attributes.Float("epsilon", 1e-5f))));
        normal = r.Emit("Reshape", "back", [normal, r.ShapeOf(x, "shape")]);
        normal = r.Mul(normal, r.Unsqueeze(r.Node.Input(1), "scale", 1, 2), "scaled");
        normal = r.Add(normal, r.Unsqueeze(r.Node.Input(2), "bias", 1, 2), "shifted");
        if (r.Node.Attributes.Int("activation", 0) != 0)
            normal = r.Mul(normal, r.Unary("Sigmoid", normal, "sigmoid"), "swish");
        r.Finish(channelsLast ? r.Transpose(normal, "channels_last", 0, 2, 3, 1) : normal);
    }

    private static void Layer(NodeRewriter r, Value x, Value scale, Value? bias)
    {
        var attributes = new AttributeMap(("axis", -1), ("epsilon", r.Node.Attributes.Float("epsilon", 1e-12f)));
        // Mean and inverse deviation are outputs of the standard operator too.
        var wanted = r.Uses(2) ? 3 : r.Uses(1) ? 2 : 1;
        r.Replace("LayerNormalization", [x, scale, bias], attributes, wanted);
    }
}
