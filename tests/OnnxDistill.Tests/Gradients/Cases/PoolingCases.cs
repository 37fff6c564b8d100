using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Pooling: windows of every rank that overlap, leave gaps, hang over the border or miss the last places.</summary>
internal static class PoolingCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        .. Average(),
        .. Windows("LpPool", Normal),
        new("LpPool", "1-norm", [AwayFromZero(2, 3, 5, 4)], ("kernel_shape", Ints(2, 3)), ("p", 1), ("pads", Ints(1, 0, 0, 1))),
        new("LpPool", "3-norm", [AwayFromZero(2, 3, 5, 4)], ("kernel_shape", Ints(3, 2)), ("p", 3), ("strides", Ints(2, 2))),
        new("LpPool", "dilated", [AwayFromZero(2, 2, 7, 6)], ("kernel_shape", Ints(3, 2)), ("dilations", Ints(2, 3)), ("strides", Ints(2, 1))),
        .. Windows("MaxPool", Distinct),
        new("MaxPool", "dilated", [Distinct(1, 2, 7, 6)], ("kernel_shape", Ints(3, 2)), ("dilations", Ints(2, 3)), ("pads", Ints(1, 1, 1, 0))),
        new("MaxPool", "dilated sequence", [Distinct(1, 2, 9)], ("kernel_shape", Ints(3)), ("dilations", Ints(2)), ("pads", Ints(1, 1))),
        new("MaxPool", "dilated volume", [Distinct(1, 1, 4, 4, 4)], ("kernel_shape", Ints(2, 2, 2)), ("dilations", Ints(2, 2, 2))),
        new("MaxPool", "indices", [Distinct(2, 2, 4, 6)], ("kernel_shape", Ints(3, 3)), ("strides", Ints(1, 2))) { Outputs = 2 },
        new("MaxPool", "indices of a sequence", [Distinct(2, 3, 7)], ("kernel_shape", Ints(3)), ("strides", Ints(2)), ("pads", Ints(1, 1))) { Outputs = 2 },
        new("MaxPool", "indices in column order", [Distinct(2, 2, 4, 6)], ("kernel_shape", Ints(2, 3)), ("storage_order", 1)) { Outputs = 2 },
        new("MaxUnpool", "image", [Normal(1, 2, 2, 1), LongsOf([1, 2, 2, 1], 1, 6, 8, 14)], ("kernel_shape", Ints(2, 2)), ("strides", Ints(2, 2))),
        new("MaxUnpool", "larger shape given", [Normal(1, 1, 2, 2), LongsOf([1, 1, 2, 2], 0, 3, 12, 22), Longs(1, 1, 5, 5)],
            ("kernel_shape", Ints(2, 2)), ("strides", Ints(2, 2))) { OutputDims = [1, 1, 5, 5] },
        new("GlobalAveragePool", "sequence", [Normal(2, 3, 5)]),
        new("GlobalAveragePool", "image", [Normal(2, 3, 4, 3)]),
        new("GlobalAveragePool", "volume", [Normal(2, 3, 2, 3, 2)]),
        new("GlobalLpPool", "2-norm", [Normal(2, 3, 4, 3)]),
        new("GlobalLpPool", "1-norm of a sequence", [AwayFromZero(2, 3, 5)], ("p", 1)),
        new("GlobalLpPool", "3-norm of a volume", [AwayFromZero(2, 2, 2, 3, 2)], ("p", 3)),
        new("GlobalMaxPool", "sequence", [Distinct(2, 3, 5)]),
        new("GlobalMaxPool", "image", [Distinct(2, 3, 4, 3)]),
        new("GlobalMaxPool", "volume", [Distinct(2, 3, 2, 3, 2)]),
    ];

    private static IEnumerable<GradientCase> Average() =>
    [
        .. Windows("AveragePool", Normal),
        .. Windows("AveragePool", Normal, ", pads counted", ("count_include_pad", 1)),
        new("AveragePool", "opset 22", [Normal(2, 3, 5, 4)], ("kernel_shape", Ints(3, 2)), ("strides", Ints(2, 1)), ("pads", Ints(1, 0, 1, 1))) { Opset = 22 },
        new("AveragePool", "opset 7", [Normal(2, 3, 5, 4)], ("kernel_shape", Ints(3, 2)), ("strides", Ints(2, 1)), ("pads", Ints(1, 0, 1, 1))) { Opset = 7 },
    ];

    /// <summary>Forms that all windowed operators take.</summary>
    private static IEnumerable<GradientCase> Windows(string op, Func<long[], Arg> x, string suffix = "", params (string Name, object? Value)[] more)
    {
        GradientCase Row(string form, long[] dims, long[] kernel, params (string, object?)[] attributes) =>
            new(op, form + suffix, [x(dims)], [("kernel_shape", kernel), .. attributes, .. more]);
        return
        [
            Row("halves an image", [2, 3, 4, 6], [2, 2], ("strides", Ints(2, 2))),
            Row("stride 1 by default", [2, 2, 4, 5], [3, 2]),
            Row("overlapping, padded", [2, 2, 6, 5], [3, 3], ("strides", Ints(2, 2)), ("pads", Ints(1, 1, 1, 1))),
            Row("padded on one side", [1, 2, 5, 4], [3, 2], ("strides", Ints(2, 1)), ("pads", Ints(2, 0, 0, 1))),
            Row("gaps and a rest", [2, 2, 9, 8], [2, 1], ("strides", Ints(3, 3))),
            Row("ceil mode", [1, 2, 6, 5], [3, 2], ("strides", Ints(2, 2)), ("ceil_mode", 1)),
            Row("ceil mode, padded", [1, 2, 6, 5], [3, 3], ("strides", Ints(2, 2)), ("ceil_mode", 1), ("pads", Ints(1, 1, 1, 1))),
            Row("same, upper", [1, 2, 5, 4], [2, 3], ("strides", Ints(2, 2)), ("auto_pad", "SAME_UPPER")),
            Row("same, lower", [1, 2, 5, 4], [2, 3], ("strides", Ints(1, 2)), ("auto_pad", "SAME_LOWER")),
            Row("valid", [1, 2, 5, 4], [2, 3], ("strides", Ints(2, 1)), ("auto_pad", "VALID")),
            Row("sequence", [2, 3, 9], [4], ("strides", Ints(2)), ("pads", Ints(1, 2))),
            Row("halves a sequence", [2, 3, 8], [2], ("strides", Ints(2))),
            Row("volume", [1, 2, 4, 3, 5], [2, 3, 2], ("strides", Ints(2, 1, 2)), ("pads", Ints(0, 1, 1, 0, 1, 0))),
            Row("halves a volume", [1, 2, 4, 2, 4], [2, 2, 2], ("strides", Ints(2, 2, 2))),
        ];
    }

    private static long[] Ints(params long[] numbers) => numbers;
}
