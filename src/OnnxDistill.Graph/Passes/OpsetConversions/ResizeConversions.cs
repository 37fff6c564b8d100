using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Upsample, and Resize in its older forms.</summary>
internal static class ResizeConversions
{
    /// <summary>Upsample with its scales as an attribute (before 9) or an input (9). It maps an output index to index / scale and takes
    /// the floor.</summary>
    public static void Upsample(NodeRewriter r)
    {
        if (r.Node.OptionalInput(1) is { } given)
            Asymmetric(r, given, "floor");
        else if (r.Node.Attributes.FirstOrDefault(static a => a.Key == "scales").Value is float[] scales)
            Asymmetric(r, r.Constant("scales", TensorData.Of(scales, scales.Length)), "floor");
        else
            r.Refuse("it has no scales");
    }

    /// <summary>Resize of opset 10 had no nearest_mode: ONNX Runtime takes the floor on axes that grow and the ceiling on axes that
    /// shrink.</summary>
    public static void Resize10(NodeRewriter r)
    {
        var scales = r.Node.Input(1);
        if (r.Node.Attributes.Text("mode", "nearest") != "nearest")
        {
            Asymmetric(r, scales, "floor");
            return;
        }
        if (NodeRewriter.ConstantOf(scales)?.ToDoubles() is not { } factors)
            r.Refuse("its scales are not constant, so its rounding is not known");
        else if (factors.Any(static f => f > 1) && factors.Any(static f => f < 1))
            r.Refuse("it grows some axes and shrinks others, each with its own rounding in opset 10");
        else
            Asymmetric(r, scales, factors.Any(static f => f < 1) ? "ceil" : "floor");
    }

    /// <summary>Resize of 11 to 17: empty tensors stood for inputs that are now left out.</summary>
    public static void Resize11(NodeRewriter r)
    {
        if (r.Node.Attributes.Text("coordinate_transformation_mode", "half_pixel") == "tf_half_pixel_for_nn")
        {
            ResamplingConversions.Resize(r);
            return;
        }
        var inputs = r.Node.Inputs.Select(static v => NodeRewriter.ConstantOf(v) is { ElementCount: 0 } ? null : v).ToList();
        while (inputs[^1] is null)
            inputs.RemoveAt(inputs.Count - 1);
        r.Replace("Resize", inputs, r.Node.Attributes);
    }

    /// <summary>Resize from 19 on has one more coordinate transformation.</summary>
    public static void Resize19(NodeRewriter r)
    {
        if (r.Node.Attributes.Text("coordinate_transformation_mode", "half_pixel") == "half_pixel_symmetric")
            ResamplingConversions.Resize(r);
        else
            r.Keep();
    }

    private static void Asymmetric(NodeRewriter r, Value scales, string nearestMode) =>
        r.Replace("Resize", [r.X, null, scales], new AttributeMap(
            ("mode", r.Node.Attributes.Text("mode", "nearest")),
            ("coordinate_transformation_mode", "asymmetric"),
            ("nearest_mode", nearestMode)));
}
