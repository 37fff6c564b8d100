using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Sums, norms and extremes over axes, and the softmax.</summary>
internal static class ReductionCases
{
    private static readonly long[] Dims = [2, 3, 4];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("LogSoftmax", "middle axis", [Normal(Dims)], ("axis", 1)),
        .. Forms("ReduceL2", Normal(Dims)),
        .. Forms("ReduceLogSumExp", Normal(Dims)),
        .. Forms("ReduceMax", Distinct(Dims)),
        .. Forms("ReduceMean", Normal(Dims)),
        .. Forms("ReduceMin", Distinct(Dims)),
        .. Forms("ReduceSum", Normal(Dims)),
        .. Forms("ReduceSumSquare", Normal(Dims)),
        new("Softmax", "last axis", [Normal(Dims)]),
        new("Softmax", "first axis", [Normal(Dims)], ("axis", 0)),
    ];

    private static IEnumerable<GradientCase> Forms(string op, Arg x) =>
    [
        new(op, "all axes kept", [x]),
        new(op, "all axes dropped", [x], ("keepdims", 0)),
        new(op, "two axes kept", [x, Longs(0, -1)]),
        new(op, "one axis dropped", [x, Longs(1)], ("keepdims", 0)),
        new(op, "no axis at all", [x, Longs()], ("noop_with_empty_axes", 1)),
    ];
}
