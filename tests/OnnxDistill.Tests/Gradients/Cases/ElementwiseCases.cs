using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Element by element: functions of one value, arithmetic of two, choices.</summary>
internal static class ElementwiseCases
{
    private static readonly long[] Dims = [2, 3];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Abs", "away from 0", [AwayFromZero(Dims)]),
        new("Add", "equal shapes", [Normal(Dims), Normal(Dims)]),
        new("Add", "both operands widened", [Normal(2, 1, 3), Normal(4, 1)]),
        new("Cast", "to float64", [Normal(Dims)], ("to", 11)),
        new("Cast", "to float32", [Normal(Dims)], ("to", 1)) { SingleTolerance = 3e-3 },
        new("Clip", "both bounds", [Of([4], -2, -0.4, 0.6, 3), Constant([], -1), Constant([], 1)]),
        new("Clip", "lower bound only", [Of([3], -2, 0.4, 3), Constant([], -1)]),
        new("Cos", "any", [Normal(Dims)]),
        new("Div", "widened", [Normal(Dims), AwayFromZero(3)]),
        new("Elu", "alpha", [AwayFromZero(Dims)], ("alpha", 1.3)),
        new("Erf", "any", [Normal(Dims)]),
        new("Exp", "any", [Normal(Dims)]),
        new("Identity", "any", [Normal(Dims)]),
        new("LeakyRelu", "alpha", [AwayFromZero(Dims)], ("alpha", 0.2)),
        new("Log", "positive", [Uniform(0.5, 2, Dims)]),
        new("Max", "three, widened", [Of([2, 2], 0.1, 0.9, -0.7, 0.3), Of([2], 0.5, 0.2), Of([1, 1], 0.0)]),
        new("Max", "one", [Normal(Dims)]),
        new("Mean", "three, widened", [Normal(Dims), Normal(3), Normal(1, 1)]),
        new("Min", "two", [Of([4], 0.1, 0.9, -0.7, 0.3), Of([4], 0.5, 0.2, -0.3, 0.9)]),
        new("Mul", "widened", [Normal(Dims), Normal(2, 1)]),
        new("Neg", "any", [Normal(Dims)]),
        new("Pow", "square", [Normal(Dims), Constant([], 2)]),
        new("Pow", "cube of either sign", [AwayFromZero(Dims), Constant([], 3)]),
        new("Pow", "both vary, widened", [Uniform(0.5, 2, Dims), Normal(3)]),
        new("Pow", "integer exponent", [AwayFromZero(Dims), Longs(2, 3, 1)]),
        new("Reciprocal", "any", [AwayFromZero(Dims)]),
        new("Relu", "away from 0", [AwayFromZero(Dims)]),
        new("Sigmoid", "any", [Normal(Dims)]),
        new("Sin", "any", [Normal(Dims)]),
        new("Softplus", "any", [Normal(Dims)]),
        new("Sqrt", "positive", [Uniform(0.5, 2, Dims)]),
        new("Sub", "widened", [Normal(3), Normal(Dims)]),
        new("Sum", "three, widened", [Normal(Dims), Normal(3), Normal(2, 1)]),
        new("Tanh", "any", [Normal(Dims)]),
        new("Where", "widened", [Bools([2, 1], true, false), Normal(3), Normal(Dims)]),
    ];
}
