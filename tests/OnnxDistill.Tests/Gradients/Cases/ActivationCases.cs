using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Activations, on either side of their kinks and away from them.</summary>
internal static class ActivationCases
{
    private const string ShrinkRounds = "ONNX Runtime 1.31.1 computes it in float32 whatever the type";

    private static readonly long[] Dims = [2, 3];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Celu", "defaults", [AwayFromZero(Dims)]),
        new("Celu", "alpha", [AwayFromZero(Dims)], ("alpha", 2.3)),
        new("Celu", "far out", [Of([3], -20, 90, -3)], ("alpha", 0.7)),
        new("Elu", "defaults", [AwayFromZero(Dims)]),
        new("Elu", "alpha", [AwayFromZero(Dims)], ("alpha", 1.3)),
        new("HardSigmoid", "defaults", [Of([2, 3], -4, -2, -0.1, 0.3, 2, 4)]),
        new("HardSigmoid", "alpha, beta", [Of([2, 3], -4, -1, -0.1, 0.3, 1, 4)], ("alpha", 0.35), ("beta", 0.4)),
        new("HardSigmoid", "falling", [Of([2, 3], -4, -1, -0.1, 0.3, 1, 4)], ("alpha", -0.35), ("beta", 0.6)),
        new("HardSwish", "every part", [Of([2, 3], -5, -2.5, -0.5, 0.4, 2.5, 5)]),
        new("LeakyRelu", "defaults", [AwayFromZero(Dims)]),
        new("LeakyRelu", "alpha", [AwayFromZero(Dims)], ("alpha", 0.2)),
        new("Mish", "any", [Normal(Dims)]),
        new("Mish", "wide", [Of([6], -15, -6, -1.2, 0, 4, 30)]),
        new("PRelu", "equal shapes", [AwayFromZero(Dims), Normal(Dims)]),
        new("PRelu", "one slope", [AwayFromZero(Dims), Normal(1)]),
        new("PRelu", "a slope a channel", [AwayFromZero(2, 3, 2, 2), Normal(3, 1, 1)]),
        new("PRelu", "constant slope", [AwayFromZero(Dims), Constant([3], 0.1, -0.2, 0.3)]),
        new("Relu", "away from 0", [AwayFromZero(Dims)]),
        new("Selu", "defaults", [AwayFromZero(Dims)]),
        new("Selu", "alpha, gamma", [AwayFromZero(Dims)], ("alpha", 2.0), ("gamma", 3.0)),
        new("Shrink", "hard, defaults", [Of([2, 3], -2, -0.7, -0.3, 0.2, 0.8, 1.9)]) { SingleOnly = ShrinkRounds },
        new("Shrink", "soft", [Of([2, 3], -2, -1.7, -0.3, 0.2, 1.8, 1.9)], ("lambd", 1.5), ("bias", 1.5)) { SingleOnly = ShrinkRounds },
        new("Sigmoid", "any", [Normal(Dims)]),
        new("Softplus", "any", [Normal(Dims)]),
        new("Softsign", "away from 0", [AwayFromZero(Dims)]),
        new("Softsign", "scalar", [Of([], -1.7)]),
        new("Tanh", "any", [Normal(Dims)]),
        new("ThresholdedRelu", "defaults", [Of([2, 3], -2, -0.7, 0.3, 0.7, 1.3, 1.9)]),
        new("ThresholdedRelu", "negative threshold", [Of([2, 3], -2, -0.9, -0.3, 0.2, 0.8, 1.9)], ("alpha", -0.6)),
    ];
}
