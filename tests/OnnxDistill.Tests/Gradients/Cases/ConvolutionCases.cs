using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Convolutions and their transposes.</summary>
internal static class ConvolutionCases
{
    private static readonly int[] Twos = [2, 2];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Conv", "3x3, padded, bias", [Normal(2, 3, 5, 4), Normal(4, 3, 3, 3), Normal(4)], ("pads", new[] { 1, 1, 1, 1 })),
        new("Conv", "1x1", [Normal(2, 3, 4, 4), Normal(5, 3, 1, 1)]),
        new("Conv", "1x1, bias", [Normal(2, 3, 4, 4), Normal(5, 3, 1, 1), Normal(5)]),
        new("Conv", "1x1, strided", [Normal(2, 3, 5, 4), Normal(2, 3, 1, 1)], ("strides", Twos)),
        new("Conv", "1x1, padded", [Normal(2, 3, 3, 4), Normal(2, 3, 1, 1)], ("pads", new[] { 1, 0, 0, 2 })),
        new("Conv", "1x1, groups", [Normal(2, 4, 3, 4), Normal(6, 2, 1, 1)], ("group", 2)),
        new("Conv", "strided, uneven pads", [Normal(1, 2, 6, 7), Normal(3, 2, 3, 2)], ("strides", new[] { 2, 3 }), ("pads", new[] { 1, 0, 0, 2 })),
        new("Conv", "stride beyond the kernel", [Normal(1, 2, 8, 9), Normal(3, 2, 2, 1)], ("strides", new[] { 3, 4 })),
        new("Conv", "dilated", [Normal(1, 2, 7, 7), Normal(2, 2, 3, 3)], ("dilations", Twos)),
        new("Conv", "dilated by axis, strided, padded", [Normal(1, 2, 9, 8), Normal(2, 2, 3, 2)], ("dilations", new[] { 1, 3 }),
            ("strides", new[] { 2, 1 }), ("pads", new[] { 2, 1, 0, 3 })),
        new("Conv", "pads wider than the kernel", [Normal(1, 2, 2, 3), Normal(2, 2, 2, 2)], ("pads", new[] { 3, 2, 2, 3 })),
        new("Conv", "kernel as large as the image", [Normal(2, 2, 4, 3), Normal(3, 2, 4, 3)]),
        new("Conv", "SAME_UPPER", [Normal(1, 2, 5, 6), Normal(2, 2, 3, 3)], ("auto_pad", "SAME_UPPER"), ("strides", Twos)),
        new("Conv", "SAME_LOWER", [Normal(1, 2, 5, 6), Normal(2, 2, 2, 4)], ("auto_pad", "SAME_LOWER"), ("strides", new[] { 1, 2 })),
        new("Conv", "SAME_UPPER, even kernel, groups", [Normal(1, 4, 5, 6), Normal(2, 2, 2, 4)], ("auto_pad", "SAME_UPPER"), ("group", 2)),
        new("Conv", "VALID", [Normal(1, 2, 5, 6), Normal(2, 2, 3, 3)], ("auto_pad", "VALID"), ("strides", new[] { 1, 2 })),
        new("Conv", "groups, bias", [Normal(2, 4, 5, 4), Normal(6, 2, 3, 3), Normal(6)], ("group", 2), ("pads", new[] { 1, 1, 1, 1 })),
        new("Conv", "groups, dilated, strided", [Normal(2, 6, 7, 8), Normal(3, 2, 2, 3)], ("group", 3), ("dilations", Twos), ("strides", new[] { 1, 2 })),
        new("Conv", "depthwise", [Normal(2, 5, 5, 4), Normal(5, 1, 3, 3)], ("group", 5), ("pads", new[] { 1, 1, 1, 1 })),
        new("Conv", "depthwise, two outputs a channel, strided", [Normal(2, 3, 6, 5), Normal(6, 1, 3, 3)], ("group", 3), ("strides", Twos)),
        new("Conv", "fixed weights", [Normal(2, 3, 5, 4), Normal(4, 3, 3, 3).Fixed(), Normal(4).Fixed()]),
        new("Conv", "fixed input, groups", [Normal(2, 4, 5, 4).Fixed(), Normal(4, 2, 3, 3)], ("group", 2)),
        new("Conv", "1-D", [Normal(2, 3, 7), Normal(4, 3, 3), Normal(4)], ("pads", new[] { 1, 2 }), ("strides", new[] { 2 })),
        new("Conv", "1-D, depthwise, dilated", [Normal(2, 4, 9), Normal(4, 1, 3)], ("group", 4), ("dilations", new[] { 3 })),
        new("Conv", "1-D, SAME_LOWER", [Normal(1, 2, 6), Normal(3, 2, 4)], ("auto_pad", "SAME_LOWER")),
        new("Conv", "1-D, point", [Normal(2, 3, 5), Normal(4, 3, 1)]),
        new("Conv", "3-D", [Normal(1, 2, 4, 3, 4), Normal(2, 2, 2, 3, 2), Normal(2)], ("pads", new[] { 1, 0, 1, 0, 1, 0 })),
        new("Conv", "3-D, strided", [Normal(2, 2, 5, 4, 4), Normal(2, 2, 2, 2, 2)], ("strides", new[] { 2, 1, 3 })),
        new("Conv", "3-D, groups, dilated", [Normal(1, 4, 4, 4, 4), Normal(2, 2, 2, 2, 2)], ("group", 2), ("dilations", new[] { 2, 1, 2 })),
        new("Conv", "3-D, point", [Normal(1, 3, 2, 3, 2), Normal(2, 3, 1, 1, 1)]),

        new("ConvTranspose", "plain", [Normal(2, 3, 4, 3), Normal(3, 2, 3, 3)]),
        new("ConvTranspose", "strided", [Normal(2, 3, 4, 3), Normal(3, 2, 3, 3)], ("strides", Twos)),
        new("ConvTranspose", "padded, output padding, bias", [Normal(1, 3, 4, 3), Normal(3, 2, 4, 4), Normal(2)], ("strides", Twos),
            ("pads", new[] { 1, 1, 1, 1 }), ("output_padding", new[] { 1, 0 })),
        new("ConvTranspose", "1x1", [Normal(2, 3, 4, 3), Normal(3, 2, 1, 1), Normal(2)]),
        new("ConvTranspose", "stride beyond the kernel", [Normal(1, 3, 3, 2), Normal(3, 2, 2, 1)], ("strides", new[] { 3, 2 })),
        new("ConvTranspose", "uneven pads, dilated", [Normal(1, 2, 4, 5), Normal(2, 3, 3, 2)], ("pads", new[] { 2, 0, 1, 1 }), ("dilations", new[] { 2, 3 })),
        new("ConvTranspose", "SAME_UPPER", [Normal(1, 2, 3, 4), Normal(2, 2, 3, 4)], ("auto_pad", "SAME_UPPER"), ("strides", Twos)),
        new("ConvTranspose", "SAME_LOWER", [Normal(1, 2, 3, 4), Normal(2, 2, 3, 4)], ("auto_pad", "SAME_LOWER"), ("strides", Twos)),
        new("ConvTranspose", "SAME_UPPER, kernel below the stride", [Normal(1, 2, 3, 3), Normal(2, 2, 1, 2), Normal(2)], ("auto_pad", "SAME_UPPER"),
            ("strides", new[] { 2, 3 })),
        new("ConvTranspose", "VALID", [Normal(1, 2, 3, 4), Normal(2, 2, 3, 2)], ("auto_pad", "VALID"), ("strides", new[] { 1, 2 })),
        new("ConvTranspose", "output shape, odd excess", [Normal(1, 2, 3, 4), Normal(2, 2, 4, 4), Normal(2)], ("output_shape", new[] { 5, 9 }),
            ("strides", Twos)),
        new("ConvTranspose", "output shape, SAME_UPPER", [Normal(1, 2, 3, 4), Normal(2, 2, 4, 4)], ("output_shape", new[] { 5, 9 }),
            ("auto_pad", "SAME_UPPER"), ("strides", Twos)),
        new("ConvTranspose", "output shape beyond what the kernel reaches", [Normal(1, 2, 3, 3), Normal(2, 2, 2, 3), Normal(2)],
            ("output_shape", new[] { 8, 9 }), ("strides", new[] { 3, 3 })),
        new("ConvTranspose", "groups, bias", [Normal(2, 4, 3, 4), Normal(4, 3, 3, 2), Normal(6)], ("group", 2), ("strides", Twos),
            ("pads", new[] { 1, 0, 1, 0 })),
        new("ConvTranspose", "groups, dilated, output padding", [Normal(1, 6, 3, 3), Normal(6, 1, 2, 3)], ("group", 3), ("strides", Twos),
            ("dilations", new[] { 2, 1 }), ("output_padding", new[] { 1, 1 })),
        new("ConvTranspose", "depthwise", [Normal(2, 3, 4, 3), Normal(3, 1, 4, 4)], ("group", 3), ("strides", Twos), ("pads", new[] { 1, 1, 1, 1 })),
        new("ConvTranspose", "depthwise, two outputs a channel", [Normal(2, 3, 3, 3), Normal(3, 2, 3, 3)], ("group", 3)),
        new("ConvTranspose", "fixed weights", [Normal(2, 3, 3, 3), Normal(3, 2, 3, 3).Fixed()], ("strides", Twos)),
        new("ConvTranspose", "1-D", [Normal(2, 3, 5), Normal(3, 2, 4), Normal(2)], ("strides", new[] { 2 }), ("pads", new[] { 1, 0 })),
        new("ConvTranspose", "1-D, groups, dilated", [Normal(2, 4, 4), Normal(4, 2, 3)], ("group", 2), ("dilations", new[] { 2 })),
        new("ConvTranspose", "1-D, output shape", [Normal(1, 2, 4), Normal(2, 3, 3)], ("output_shape", new[] { 6 }), ("strides", new[] { 2 })),
        new("ConvTranspose", "3-D", [Normal(1, 2, 2, 3, 2), Normal(2, 2, 2, 2, 3), Normal(2)], ("strides", new[] { 2, 1, 2 }),
            ("pads", new[] { 1, 0, 0, 0, 1, 1 }), ("output_padding", new[] { 1, 0, 1 })),
        new("ConvTranspose", "3-D, groups, dilated", [Normal(1, 4, 2, 2, 3), Normal(4, 1, 2, 2, 2)], ("group", 2), ("dilations", new[] { 2, 1, 2 })),

        new("DeformConv", "mask, bias", [Normal(2, 3, 4, 4), Normal(2, 3, 3, 2), OffPixels(2, 12, 3, 4), Normal(2), Normal(2, 6, 3, 4)],
            ("pads", new[] { 1, 0, 0, 1 })) { Opset = 19 },
        new("DeformConv", "plain", [Normal(1, 2, 4, 4), Normal(3, 2, 2, 2), OffPixels(1, 8, 3, 3)]) { Opset = 22 },
        new("DeformConv", "groups, offset groups, strided, dilated, no bias", [Normal(2, 4, 5, 6), Normal(4, 2, 2, 2), OffPixels(2, 16, 2, 4), null,
            Normal(2, 8, 2, 4)], ("group", 2), ("offset_group", 2), ("strides", new[] { 2, 1 }), ("dilations", Twos)) { Opset = 22 },
        new("DeformConv", "depthwise, an offset group a channel", [Normal(2, 3, 3, 3), Normal(3, 1, 2, 2), OffPixels(2, 24, 2, 2), Normal(3)], ("group", 3),
            ("offset_group", 3)) { Opset = 22 },
        new("DeformConv", "far outside", [Normal(1, 1, 3, 3), Normal(1, 1, 1, 1), Of([1, 2, 3, 3], -4.3, 0.4, 0.3, -0.6, 0.2, 9.7, 0.4, 0.3, 0.3, 0.2, -0.7, 3.4,
            0.3, 0.3, 0.2, -7.4, 0.3, 0.4)]) { Opset = 22 },
    ];

    /// <summary>Offsets of up to two pixels whose fractions lie in [0.2, 0.8]: bilinear sampling has kinks at the pixels.</summary>
    private static Arg OffPixels(params long[] dims)
    {
        var normal = Normal(dims);
        return normal with { Numbers = Array.ConvertAll(normal.Numbers, static n => Math.Floor(n) + 0.2 + (0.6 * (n - Math.Floor(n)))) };
    }
}
