using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Circular and hyperbolic functions over most of where they are defined.</summary>
internal static class TrigonometricCases
{
    private static readonly long[] Dims = [2, 3];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Acos", "inside", [Uniform(-0.8, 0.8, Dims)]),
        new("Acosh", "above 1", [Uniform(1.5, 3, Dims)]),
        new("Asin", "inside", [Uniform(-0.8, 0.8, Dims)]),
        new("Asinh", "any", [Normal(Dims)]),
        new("Asinh", "wide", [Of([4], -30, -4, 5, 60)]),
        new("Atan", "any", [Normal(Dims)]),
        new("Atan", "wide", [Of([4], -6, -2, 3, 5)]),
        new("Atanh", "inside", [Uniform(-0.8, 0.8, Dims)]),
        new("Cos", "any", [Normal(Dims)]),
        new("Cosh", "any", [Normal(Dims)]),
        new("Cosh", "wide", [Of([4], -6, -2, 3, 5)]),
        new("Sin", "any", [Normal(Dims)]),
        new("Sinh", "any", [Normal(Dims)]),
        new("Sinh", "wide", [Of([4], -6, -2, 3, 5)]),
        new("Tan", "between poles", [Uniform(-1.2, 1.2, Dims)]),
        new("Tan", "beyond a pole", [Uniform(2, 4, Dims)]),
    ];
}
