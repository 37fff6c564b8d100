using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Borders of every mode.</summary>
internal static class PadCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Pad", "constant", [Normal(2, 3), Longs(1, 0, 0, 2)]),
        new("Pad", "negative amounts", [Normal(4, 3), Longs(-1, 0, 1, -2)]),
        new("Pad", "cut in front, widened behind", [Normal(4, 3), Longs(-2, 1, 2, -1)]),
        new("Pad", "nothing", [Normal(2, 3), Longs(0, 0, 0, 0)]),
        new("Pad", "a border value that varies", [Normal(2, 3), Longs(1, 0, 0, 2), Normal()]),
        new("Pad", "a border value that varies, negative amounts", [Normal(4, 3), Longs(-1, 2, 3, -1), Normal()]),
        new("Pad", "chosen axes", [Normal(2, 3, 4), Longs(1, 2, 0, 1), null, Longs(-1, 0)]),
        new("Pad", "chosen axes, border value", [Normal(2, 3, 4), Longs(1, 2), Normal(), Longs(1)]),
        new("Pad", "edge", [Normal(2, 3), Longs(0, 3, 2, 1)], ("mode", "edge")),
        new("Pad", "edge, cut in front", [Normal(2, 5), Longs(0, -2, 1, 3)], ("mode", "edge")),
        new("Pad", "edge, chosen axis", [Normal(2, 3, 2), Longs(2, 1), null, Longs(-2)], ("mode", "edge")),
        new("Pad", "edge of one element", [Normal(2, 1), Longs(0, 2, 0, 1)], ("mode", "edge")),
        new("Pad", "reflect", [Normal(3, 4), Longs(1, 3, 2, 2)], ("mode", "reflect")),
        new("Pad", "reflect on one side", [Normal(1, 1, 4, 3), Longs(0, 0, 0, 2, 0, 0, 3, 0)], ("mode", "reflect")),
        new("Pad", "reflect, cut behind", [Normal(2, 5), Longs(0, 2, 0, -1)], ("mode", "reflect")),
        new("Pad", "reflect, chosen axes", [Normal(2, 3, 4), Longs(2, 1, 1, 3), null, Longs(1, 2)], ("mode", "reflect")),
        new("Pad", "wrap", [Normal(3, 4), Longs(1, 3, 2, 4)], ("mode", "wrap")) { Opset = 19 },
        new("Pad", "wrap, more than once round", [Normal(2, 3), Longs(0, 7, 0, 4)], ("mode", "wrap")) { Opset = 21 },
        new("Pad", "wrap, chosen axis, cut in front", [Normal(2, 5), Longs(-2, 2), null, Longs(-1)], ("mode", "wrap")) { Opset = 21 },
        new("Pad", "from attributes", [Normal(2, 3)], ("pads", new[] { 1, 1, 0, 2 }), ("mode", "reflect")) { Opset = 7 },
    ];
}
