using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Sums, norms and extremes over axes, and the softmax.</summary>
internal static class ReductionCases
{
    private static readonly long[] Dims = [2, 3, 4];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        .. Softmaxes("LogSoftmax"),
        .. Forms("ReduceL1", AwayFromZero(Dims)),
        .. Forms("ReduceL2", Normal(Dims)),
        .. Forms("ReduceLogSum", Uniform(0.5, 2, Dims)),
        .. Forms("ReduceLogSumExp", Normal(Dims)),
        .. Forms("ReduceMax", Distinct(Dims)),
        .. Forms("ReduceMean", Normal(Dims)),
        .. Forms("ReduceMin", Distinct(Dims)),
        .. Forms("ReduceProd", Normal(Dims)),
        new("ReduceProd", "a zero", [Of([2, 3], 0.7, 0, -1.2, 0.4, 1.5, -0.6), Longs(1)]),
        new("ReduceProd", "zeros, one, two and all", [Of([3, 4], 0, 2, 3, 4, 5, 0, 0, -8, 0, 0, 0, 0), Longs(-1)], ("keepdims", 0)),
        new("ReduceProd", "zeros over two axes", [Of([2, 2, 2], 0, 2, 3, 0.5, 5, -0.6, 0, -0.8), Longs(2, 0)]),
        new("ReduceProd", "seven elements, first axis", [Of([7, 1], 0.9, -1.1, 0, 1.3, 0.8, -0.7, 1.2), Longs(0)]),
        .. Forms("ReduceSum", Normal(Dims)),
        .. Forms("ReduceSumSquare", Normal(Dims)),
        .. Softmaxes("Softmax"),
    ];

    private static IEnumerable<GradientCase> Forms(string op, Arg x)
    {
        // The 2-norm of one number is its size: its slope is a sign, which differences of rounded numbers cannot tell from a curve.
        var bent = op == "ReduceL2" ? "a norm of one number has no curvature" : "";
        return
        [
            new(op, "all axes kept", [x]),
            new(op, "all axes dropped", [x], ("keepdims", 0)),
            new(op, "two axes kept", [x, Longs(0, -1)]),
            new(op, "one axis dropped", [x, Longs(1)], ("keepdims", 0)),
            new(op, "axes left out", [x, null], ("keepdims", 0)),
            new(op, "empty axes mean all", [x, Longs()]),
            new(op, "negative axes, any order", [x, Longs(-1, -3)], ("keepdims", 0)),
            new(op, "scalar", [Of([], 0.7)]) { FirstOrderOnly = bent },
            new(op, "axis of one element", [x with { Dims = [4, 1, 6] }, Longs(1)]) { FirstOrderOnly = bent },
            new(op, "before 13", [x], ("axes", new long[] { 0, 2 }), ("keepdims", 0)) { Opset = 11 },
            new(op, "no axis given", [x], ("noop_with_empty_axes", 1)) { FirstOrderOnly = bent },
            new(op, "no axis at all", [x, Longs()], ("noop_with_empty_axes", 1)) { FirstOrderOnly = bent },
        ];
    }

    private static IEnumerable<GradientCase> Softmaxes(string op) =>
    [
        new(op, "last axis", [Normal(Dims)]),
        new(op, "first axis", [Normal(Dims)], ("axis", 0)),
        new(op, "middle axis", [Normal(Dims)], ("axis", 1)),
        new(op, "negative axis", [Normal(Dims)], ("axis", -3)),
        new(op, "before 13, from the second axis on", [Normal(Dims)]) { Opset = 12 },
    ];
}
