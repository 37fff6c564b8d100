using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Convolutions and their transposes.</summary>
internal static class ConvolutionCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Conv", "3x3, padded, bias", [Normal(2, 3, 5, 4), Normal(4, 3, 3, 3), Normal(4)], ("pads", new[] { 1, 1, 1, 1 })),
        new("Conv", "1x1", [Normal(2, 3, 4, 4), Normal(5, 3, 1, 1)]),
        new("Conv", "strided, uneven pads", [Normal(1, 2, 6, 7), Normal(3, 2, 3, 2)], ("strides", new[] { 2, 3 }), ("pads", new[] { 1, 0, 0, 2 })),
        new("Conv", "dilated", [Normal(1, 2, 7, 7), Normal(2, 2, 3, 3)], ("dilations", new[] { 2, 2 })),
        new("Conv", "SAME_UPPER", [Normal(1, 2, 5, 6), Normal(2, 2, 3, 3)], ("auto_pad", "SAME_UPPER"), ("strides", new[] { 2, 2 })),
        new("ConvTranspose", "strided", [Normal(2, 3, 4, 3), Normal(3, 2, 3, 3)], ("strides", new[] { 2, 2 })),
        new("ConvTranspose", "padded, output padding, bias", [Normal(1, 3, 4, 3), Normal(3, 2, 4, 4), Normal(2)], ("strides", new[] { 2, 2 }),
            ("pads", new[] { 1, 1, 1, 1 }), ("output_padding", new[] { 1, 0 })),
    ];
}
