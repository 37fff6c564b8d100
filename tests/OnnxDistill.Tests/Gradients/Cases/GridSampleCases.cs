using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Sampling at places that a grid tells, some of them outside the image.</summary>
internal static class GridSampleCases
{
    private static readonly (int Opset, string Linear, string Cubic)[] Names = [(16, "bilinear", "bicubic"), (20, "linear", "cubic")];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("AffineGrid", "plane", [Normal(2, 2, 3), Longs(2, 3, 3, 4)]) { Opset = 20 },
        new("AffineGrid", "plane, corners aligned", [Normal(2, 2, 3), Longs(2, 3, 2, 3)], ("align_corners", 1)) { Opset = 20 },
        new("AffineGrid", "volume", [Normal(1, 3, 4), Longs(1, 2, 2, 3, 2)]) { Opset = 20 },
        .. from names in Names
           from mode in new[] { "nearest", names.Linear, names.Cubic }
           from padding in new[] { "zeros", "border", "reflection" }
           from aligned in new[] { 0, 1 }
           select new GradientCase("GridSample", $"{mode}, {padding}{(aligned == 1 ? ", corners aligned" : "")}", [Normal(2, 3, 4, 5), Places(2, 3, 2)],
               ("mode", mode), ("padding_mode", padding), ("align_corners", aligned)) { Opset = names.Opset == 16 ? 18 : names.Opset },
        .. from mode in new[] { "nearest", "linear" }
           from padding in new[] { "zeros", "border", "reflection" }
           select new GradientCase("GridSample", $"volume, {mode}, {padding}", [Normal(1, 2, 3, 4, 3), Volume()], ("mode", mode), ("padding_mode", padding)) { Opset = 20 },
        new("GridSample", "defaults, one channel", [Normal(1, 1, 3, 3), Places(1, 2, 2)]),
    ];

    // Up to 1.6 from the middle: one fifth to one half lies outside. The central differences keep away from whole elements by the step that they settle on.
    private static Arg Places(params long[] dims) => Uniform(-1.6, 1.6, [.. dims, 2]);

    private static Arg Volume() => Uniform(-1.4, 1.4, 1, 2, 2, 2, 3);
}
