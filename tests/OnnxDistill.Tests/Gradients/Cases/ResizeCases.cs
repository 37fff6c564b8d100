using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Resampling to another size. ONNX Runtime has float32 kernels only; the gradient is linear, so what differs is rounding alone.</summary>
internal static class ResizeCases
{
    private static readonly string[] Roundings = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"];
    private static readonly string[] Coordinates = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"];
    private static readonly Arg Image = Normal(1, 2, 4, 5);

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Resize", "nearest twice as large", [Image, null, Factors(1, 1, 2, 2)], ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
        new("Resize", "nearest twice and three times as large", [Image, null, Factors(1, 1, 3, 2)]),
        new("Resize", "nearest, one axis whole, one not", [Image, null, Factors(1, 1, 2, 1.7f)]),
        new("Resize", "nearest smaller", [Image, null, Factors(1, 1, 0.5f, 0.6f)]),
        new("Resize", "nearest, batch and channels too", [Normal(2, 2, 3), null, Factors(2, 1.5f, 2)]),
        new("Resize", "nearest, one axis in all", [Normal(5), null, Factors(2.4f)]),
        new("Resize", "nearest, five axes", [Normal(1, 2, 2, 3, 2), null, Factors(1, 1, 2, 1.5f, 3)]),
        .. from coordinates in Coordinates
           from rounding in Roundings
           select new GradientCase("Resize", $"nearest, {coordinates}, {rounding}", [Image, null, null, Longs(1, 2, 7, 3)], ("mode", "nearest"),
               ("coordinate_transformation_mode", coordinates), ("nearest_mode", rounding)),
        .. from coordinates in Coordinates
           from mode in new[] { "linear", "cubic" }
           select new GradientCase("Resize", $"{mode}, {coordinates}", [Image, null, null, Longs(1, 2, 7, 3)], ("mode", mode), ("coordinate_transformation_mode", coordinates)),
        new("Resize", "linear, two axes in all", [Normal(3, 4), null, Factors(2.5f, 0.8f)], ("mode", "linear")),
        new("Resize", "linear, three axes", [Normal(2, 3, 4), null, Factors(1.5f, 2, 1.25f)], ("mode", "linear")),
        new("Resize", "linear, volume", [Normal(1, 1, 2, 3, 4), null, Factors(1, 1, 2, 1.5f, 0.5f)], ("mode", "linear")),
        new("Resize", "linear, channels last", [Normal(1, 3, 4, 2), null, Factors(1, 2, 1.5f, 1)], ("mode", "linear")),
        new("Resize", "linear to one element", [Image, null, null, Longs(1, 2, 1, 1)], ("mode", "linear"), ("coordinate_transformation_mode", "pytorch_half_pixel")),
        new("Resize", "cubic, other coefficient", [Image, null, Factors(1, 1, 1.75f, 0.8f)], ("mode", "cubic"), ("cubic_coeff_a", -0.5)),
        new("Resize", "cubic, nothing from outside", [Image, null, Factors(1, 1, 0.8f, 2)], ("mode", "cubic"), ("exclude_outside", 1)),
        new("Resize", "cubic, two axes in all", [Normal(4, 4), null, Factors(2, 2)], ("mode", "cubic")),
        new("Resize", "nearest, cropped", [Image, Factors(0, 0, 0.3f, 0.2f, 1, 1, 0.7f, 0.9f), null, Longs(1, 2, 3, 6)], ("coordinate_transformation_mode", "tf_crop_and_resize")),
        new("Resize", "linear, cropped beyond the image", [Image, Factors(0, 0, 0.4f, 0.6f, 1, 1, 1.2f, 1.7f), null, Longs(1, 2, 3, 3)], ("mode", "linear"),
            ("coordinate_transformation_mode", "tf_crop_and_resize"), ("extrapolation_value", 10.0)),
        new("Resize", "cubic, cropped beyond the image, chosen axes", [Image, Factors(-0.2f, 0.1f, 0.9f, 1.1f), null, Longs(6, 4)], ("mode", "cubic"),
            ("coordinate_transformation_mode", "tf_crop_and_resize"), ("axes", new[] { 2, 3 })),
        new("Resize", "chosen axes, out of order", [Image, null, Factors(1.5f, 2)], ("mode", "linear"), ("axes", new[] { 3, 2 })),
        new("Resize", "aspect ratio kept, not larger", [Image, null, null, Longs(7, 8)], ("axes", new[] { 2, 3 }), ("keep_aspect_ratio_policy", "not_larger")),
        new("Resize", "aspect ratio kept, not smaller", [Image, null, null, Longs(7, 8)], ("mode", "linear"), ("axes", new[] { 2, 3 }), ("keep_aspect_ratio_policy", "not_smaller")),
        new("Resize", "same size", [Image, null, Factors(1, 1, 1, 1)], ("mode", "linear")),
        .. from mode in new[] { "nearest", "linear", "cubic" }
           select new GradientCase("Resize", $"{mode}, half_pixel_symmetric", [Image, null, Factors(1, 1, 1.6f, 0.7f)], ("mode", mode),
               ("coordinate_transformation_mode", "half_pixel_symmetric")) { Opset = 19 },
        new("Resize", "tf_half_pixel_for_nn", [Image, Factors(), Factors(), Longs(1, 2, 7, 3)], ("coordinate_transformation_mode", "tf_half_pixel_for_nn")) { Opset = 11 },
        new("Upsample", "nearest", [Image, Factors(1, 1, 2, 3)], ("mode", "nearest")) { Opset = 9 },
        new("Upsample", "linear", [Image], ("mode", "linear"), ("scales", new[] { 1f, 1f, 2f, 1.5f })) { Opset = 7 },
    ];

    private static Arg Factors(params float[] factors) =>
        Constant([factors.Length], Array.ConvertAll(factors, static f => (double)f)) with { IsAlwaysSingle = true };
}
