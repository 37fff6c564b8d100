using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Elements moved, repeated, cut and joined. Borders stand in a table of their own.</summary>
internal static class ShapeCases
{
    private static readonly long[] Dims = [2, 3, 4];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("CenterCropPad", "one axis cut, one widened, odd amounts", [Normal(5, 4), Longs(2, 7)]),
        new("CenterCropPad", "chosen axes", [Normal(2, 6, 3), Longs(3, 4)], ("axes", new[] { 1, 2 })),
        new("CenterCropPad", "negative axis", [Normal(2, 6, 3), Longs(9)], ("axes", new[] { -2 })),
        new("Col2Im", "windows apart", [Normal(1, 6, 4), Longs(2, 6), Longs(1, 3)], ("strides", new[] { 1, 3 })),
        new("Col2Im", "windows that overlap", [Normal(2, 8, 6), Longs(3, 4), Longs(2, 2)]),
        new("Col2Im", "strides, pads, dilations", [Normal(1, 8, 4), Longs(5, 5), Longs(2, 2)], ("strides", new[] { 2, 2 }), ("pads", new[] { 1, 0, 1, 1 }),
            ("dilations", new[] { 3, 2 })),
        new("Col2Im", "one spatial axis", [Normal(1, 6, 4), Longs(6), Longs(3)]),
        new("Concat", "three parts", [Normal(2, 1), Normal(2, 3), Normal(2, 2)], ("axis", -1)),
        new("Concat", "one part", [Normal(2, 3)], ("axis", 0)),
        new("DepthToSpace", "position outermost", [Normal(2, 8, 2, 3)], ("blocksize", 2)),
        new("DepthToSpace", "channel outermost", [Normal(1, 18, 2, 2)], ("blocksize", 3), ("mode", "CRD")),
        new("Expand", "widened in front and inside", [Normal(3, 1), Longs(2, 1, 4)]),
        new("Expand", "a shape smaller than x", [Normal(2, 3, 1), Longs(1, 2)]),
        new("Flatten", "axis 2", [Normal(Dims)], ("axis", 2)),
        new("Flatten", "axis 0", [Normal(Dims)], ("axis", 0)),
        new("Flatten", "negative axis", [Normal(Dims)], ("axis", -1)),
        new("Reshape", "0 and -1", [Normal(Dims), Longs(0, -1)]),
        new("Reshape", "allowzero", [Normal(Dims), Longs(4, -1)], ("allowzero", 1)),
        new("Reshape", "to a scalar", [Normal(1, 1), Longs()]),
        new("Slice", "two axes, steps", [Normal(5, 6), Longs(0, 1), Longs(5, 6), Longs(0, 1), Longs(2, 3)]),
        new("Slice", "negative step", [Normal(5, 6), Longs(-1), Longs(-6), Longs(1), Longs(-2)]),
        new("Slice", "negative step to the very front", [Normal(5, 4), Longs(3, 2), Longs(long.MinValue, -100), Longs(0, 1), Longs(-1, -2)]),
        new("Slice", "axes left out, ends beyond", [Normal(4, 5), Longs(1, -3), Longs(1000, long.MaxValue)]),
        new("Slice", "axes left out, steps given", [Normal(4, 7), Longs(-100, 1), Longs(3, -1), null, Longs(1, 2)]),
        new("SpaceToDepth", "blocks of 2", [Normal(2, 3, 4, 2)], ("blocksize", 2)),
        new("Split", "unequal parts", [Normal(2, 6), Longs(1, 2, 3)], ("axis", 1)) { Outputs = 3 },
        new("Split", "equal parts", [Normal(6, 2)], ("num_outputs", 3)) { Outputs = 3 },
        new("Split", "the last part smaller", [Normal(2, 7)], ("num_outputs", 3), ("axis", -1)) { Outputs = 3 },
        new("Squeeze", "given axes", [Normal(2, 1, 3, 1), Longs(1, -1)]),
        new("Squeeze", "all axes", [Normal(2, 1, 3, 1)]),
        new("Tile", "two axes", [Normal(2, 3), Longs(2, 3)]),
        new("Tile", "one axis of three", [Normal(2, 1, 3), Longs(1, 4, 1)]),
        new("Tile", "nothing", [Normal(2, 3), Longs(1, 1)]),
        new("Transpose", "given order", [Normal(Dims)], ("perm", new[] { 2, 0, 1 })),
        new("Transpose", "reversed", [Normal(Dims)]),
        new("Unsqueeze", "front and back", [Normal(2, 3), Longs(0, -1)]),
        new("Unsqueeze", "a scalar, out of order", [Normal(2), Longs(2, 0)]),
    ];
}
