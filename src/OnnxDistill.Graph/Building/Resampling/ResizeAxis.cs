using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building.Resampling;

/// <summary>What a Resize node does to one axis.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Input">Extent before.</param>
/// <param name="Output">Extent after.</param>
/// <param name="Scale">Output units an input unit, in float32: with sizes and a fixed aspect ratio not quite the quotient of the extents.</param>
/// <param name="RoiStart">Start of the region that tf_crop_and_resize takes, 0 to 1.</param>
/// <param name="RoiEnd">Its end.</param>
internal sealed record ResizeAxis(int Axis, long Input, long Output, float Scale, float RoiStart, float RoiEnd)
{
    /// <summary>The axes that a Resize node changes, or why they are not known.</summary>
    public static (IReadOnlyList<ResizeAxis> Axes, string? Refusal) Of(Node node, Func<Value?, TensorData?> constantOf)
    {
        if (node.Input(0).KnownShape is not { IsStatic: true } shape)
            return ([], "the shape of its input is not known");
        var cropped = node.Attributes.Text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
        var (scales, sizes) = (constantOf(node.OptionalInput(2)), constantOf(node.OptionalInput(3)));
        var roi = constantOf(node.OptionalInput(1));
        if (scales is not { ElementCount: > 0 } && sizes is not { ElementCount: > 0 })
            return ([], "its scales or sizes are not constant");
        if (cropped && roi is null && node.OptionalInput(1) is not null)
            return ([], "its region is not constant");

        int[] axes = node.Attributes.Ints("axes") is { } given ? Array.ConvertAll(given, shape.Axis) : [.. Enumerable.Range(0, shape.Rank)];
        var factors = scales is { ElementCount: > 0 } ? Array.ConvertAll(scales.ToDoubles(), static s => (float)s)
            : Factors(node.Attributes.Text("keep_aspect_ratio_policy", "stretch"), sizes!.ToLongs(), [.. axes.Select(a => shape[a].Size)]);
        var extents = scales is { ElementCount: > 0 } ? null : sizes!.ToLongs();
        if (node.Attributes.Text("keep_aspect_ratio_policy", "stretch") != "stretch" && extents is not null)
            extents = [.. axes.Select((a, i) => (long)MathF.Round(factors[i] * shape[a].Size, MidpointRounding.AwayFromZero))];
        var region = cropped && roi is { ElementCount: > 0 } ? Array.ConvertAll(roi.ToDoubles(), static r => (float)r) : null;
        var all = axes.Select((a, i) => new ResizeAxis(a, shape[a].Size, extents?[i] ?? (long)(factors[i] * shape[a].Size), factors[i],
            region?[i] ?? 0, region?[axes.Length + i] ?? 1)).ToList();
        // ONNX Runtime copies x when no extent changes, and an axis of scale 1, whatever the region says.
        return all.TrueForAll(static a => a.Input == a.Output) ? ([], null) : (all.FindAll(static a => a.Scale != 1), null);
    }

    private static float[] Factors(string policy, long[] sizes, long[] extents)
    {
        var factors = sizes.Zip(extents, static (size, extent) => (float)size / extent).ToArray();
        return policy == "stretch" ? factors : [.. Enumerable.Repeat(policy == "not_larger" ? factors.Min() : factors.Max(), factors.Length)];
    }
}
