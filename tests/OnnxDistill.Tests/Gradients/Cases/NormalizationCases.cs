using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Normalisations: over a sample, its channels or groups of them.</summary>
internal static class NormalizationCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("InstanceNormalization", "image", [Normal(2, 3, 4, 2), Normal(3), Normal(3)]),
        new("InstanceNormalization", "sequence, epsilon", [Normal(2, 3, 5), Normal(3), Normal(3)], ("epsilon", 0.1)),
        new("LayerNormalization", "last axis", [Normal(2, 3, 4), Normal(4), Normal(4)]),
        new("LayerNormalization", "two axes, no bias", [Normal(2, 3, 4), Normal(3, 4)], ("axis", 1), ("epsilon", 0.01)),
    ];
}
