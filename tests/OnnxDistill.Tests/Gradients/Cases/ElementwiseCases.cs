using OnnxDistill.Graph.Model;
using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Element by element: plain functions, arithmetic, choices.</summary>
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
        new("CastLike", "float64", [Normal(Dims), new Arg(ElementType.Float64, [1], [0], IsConstant: true)]),
        new("CastLike", "float32 that is fed too", [Normal(Dims), Normal(2) with { IsAlwaysSingle = true }]),
        new("Clip", "both bounds", [Of([4], -2, -0.4, 0.6, 3), Constant([], -1), Constant([], 1)]),
        new("Clip", "lower bound only", [Of([3], -2, 0.4, 3), Constant([], -1)]),
        new("Clip", "upper bound only", [Of([3], -2, 0.4, 3), null, Constant([], 1)]),
        new("Clip", "no bound", [Normal(Dims)]),
        new("Clip", "fed bounds", [Of([2, 3], -2, -0.4, 0.6, 3, 1.5, -4), Of([], -1), Of([], 1)]),
        new("Clip", "fed lower bound, constant upper one", [Of([4], -2, -0.4, 0.6, 3), Of([], -1), Constant([], 1)]),
        new("Clip", "fed lower bound only", [Of([4], -2, -0.4, 0.6, 3), Of([], -1)]),
        new("Clip", "fed upper bound only", [Of([4], -2, -0.4, 0.6, 3), null, Of([], 1)]),
        new("Clip", "fed bounds the wrong way round", [Of([4], -2, -0.4, 0.6, 3), Of([], 1), Of([], -1)]),
        new("Clip", "before 11", [Of([4], -2, -0.4, 0.6, 3)], ("min", -1f), ("max", 1f)) { Opset = 7 },
        new("Div", "widened", [Normal(Dims), AwayFromZero(3)]),
        new("Dropout", "inference", [Normal(Dims)]),
        new("Dropout", "inference, ratio", [Normal(Dims), Constant([], 0.3)]),
        new("Dropout", "inference, told so, mask", [Normal(Dims), Constant([], 0.3), Bools([], false)]) { Outputs = 2 },
        new("Dropout", "training that keeps all", [Normal(Dims), Constant([], 0), Bools([], true)]),
        new("Dropout", "training mode fed, off", [Normal(Dims), Constant([], 0.4), Bools([], false).Fed()]) { Outputs = 2 },
        new("Dropout", "before 12", [Normal(Dims)], ("ratio", 0.4f)) { Opset = 10 },
        new("Erf", "any", [Normal(Dims)]),
        new("Exp", "any", [Normal(Dims)]),
        new("Identity", "any", [Normal(Dims)]),
        new("Log", "positive", [Uniform(0.5, 2, Dims)]),
        new("Max", "three, widened", [Of([2, 2], 0.1, 0.9, -0.7, 0.3), Of([2], 0.5, 0.2), Of([1, 1], 0.0)]),
        new("Max", "one", [Normal(Dims)]),
        new("Mean", "three, widened", [Normal(Dims), Normal(3), Normal(1, 1)]),
        new("Min", "two", [Of([4], 0.1, 0.9, -0.7, 0.3), Of([4], 0.5, 0.2, -0.3, 0.9)]),
        new("Mod", "of floats, every sign", [Of([6], 5.3, -5.3, 5.3, -5.3, 0.7, 2.6), Of([6], 2, 2, -2, -2, 1.1, 0.25)], ("fmod", 1)),
        new("Mod", "widened", [Of([2, 3], 5.3, -4.4, 3.9, -7.7, 0.6, 9.4), Of([3], 2, -1.5, 0.7)], ("fmod", 1)),
        new("Mul", "widened", [Normal(Dims), Normal(2, 1)]),
        new("Neg", "any", [Normal(Dims)]),
        new("Pow", "square", [Normal(Dims), Constant([], 2)]),
        new("Pow", "cube of either sign", [AwayFromZero(Dims), Constant([], 3)]),
        new("Pow", "both vary, widened", [Uniform(0.5, 2, Dims), Normal(3)]),
        new("Pow", "integer exponent", [AwayFromZero(Dims), Longs(2, 3, 1)]),
        new("Pow", "zeroth power varies nothing but is there", [Normal(Dims), Of([3], 0, 1, 2).Fixed()]),
        new("Pow", "exponents 1, 2, 3 at 0", [Of([3], 0, 0, 0), Constant([3], 1, 2, 3)]),
        new("Pow", "first power", [Normal(Dims), Constant([], 1)]),
        new("Pow", "root", [Uniform(0.5, 2, Dims), Constant([1], 0.5)]),
        new("Pow", "base widened", [Uniform(0.5, 2, 1), Normal(2, 3)]),
        new("Range", "fed start and step", [Of([], 0.3), Constant([], 3.2), Of([], 0.9)]) { OutputDims = [4] },
        new("Range", "fed limit, downwards", [Of([], 2.3), Of([], -1.2), Of([], -0.9)]) { OutputDims = [4] },
        new("Reciprocal", "any", [AwayFromZero(Dims)]),
        new("Sqrt", "positive", [Uniform(0.5, 2, Dims)]),
        new("Sub", "widened", [Normal(3), Normal(Dims)]),
        new("Sum", "three, widened", [Normal(Dims), Normal(3), Normal(2, 1)]),
        new("Where", "widened", [Bools([2, 1], true, false), Normal(3), Normal(Dims)]),
    ];
}
