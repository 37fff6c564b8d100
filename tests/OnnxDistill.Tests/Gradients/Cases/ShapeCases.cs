using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Elements moved, repeated, cut and padded.</summary>
internal static class ShapeCases
{
    private static readonly long[] Dims = [2, 3, 4];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Concat", "three parts", [Normal(2, 1), Normal(2, 3), Normal(2, 2)], ("axis", -1)),
        new("Expand", "widened in front and inside", [Normal(3, 1), Longs(2, 1, 4)]),
        new("Flatten", "axis 2", [Normal(Dims)], ("axis", 2)),
        new("Pad", "constant", [Normal(2, 3), Longs(1, 0, 0, 2)]),
        new("Pad", "negative amounts", [Normal(4, 3), Longs(-1, 0, 1, -2)]),
        new("Reshape", "0 and -1", [Normal(Dims), Longs(0, -1)]),
        new("Slice", "two axes, steps", [Normal(5, 6), Longs(0, 1), Longs(5, 6), Longs(0, 1), Longs(2, 3)]),
        new("Slice", "negative step", [Normal(5, 6), Longs(-1), Longs(-6), Longs(1), Longs(-2)]),
        new("Split", "unequal parts", [Normal(2, 6), Longs(1, 2, 3)], ("axis", 1)) { Outputs = 3 },
        new("Split", "equal parts", [Normal(6, 2)], ("num_outputs", 3)) { Outputs = 3 },
        new("Squeeze", "given axes", [Normal(2, 1, 3, 1), Longs(1, -1)]),
        new("Squeeze", "all axes", [Normal(2, 1, 3, 1)]),
        new("Tile", "two axes", [Normal(2, 3), Longs(2, 3)]),
        new("Transpose", "given order", [Normal(Dims)], ("perm", new[] { 2, 0, 1 })),
        new("Transpose", "reversed", [Normal(Dims)]),
        new("Unsqueeze", "front and back", [Normal(2, 3), Longs(0, -1)]),
    ];
}
