using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Normalisations: over a batch, a sample, its channels or groups of them.</summary>
internal static class NormalizationCases
{
    private const string Stash = "its statistics are always in float32";

    private static readonly long[] Image = [2, 3, 4, 2];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        Batch("image", Image),
        Batch("sequence, epsilon", [2, 3, 5], ("epsilon", 0.1)),
        Batch("vectors", [4, 3]),
        Batch("volume", [2, 3, 2, 1, 2]),
        new("BatchNormalization", "constant statistics", [Normal(Image), Normal(3), Normal(3), Constant([3], 0.1, -0.3, 0.4), Constant([3], 0.5, 2, 1)]),
        Batch("opset 9", Image) with { Opset = 9 },
        Trained("training, image", Image),
        Trained("training, momentum, epsilon", [3, 3, 4], ("momentum", 0.3), ("epsilon", 0.1)),
        Trained("training, vectors", [5, 3]),
        new("GroupNormalization", "groups of two channels", [Normal(2, 4, 3, 2), Normal(4), Normal(4)], ("num_groups", 2)) { Opset = 21, SingleOnly = Stash },
        new("GroupNormalization", "one group, sequence, epsilon", [Normal(2, 4, 3), Normal(4), Normal(4)], ("num_groups", 1), ("epsilon", 0.1)) { Opset = 21, SingleOnly = Stash },
        new("GroupNormalization", "each channel a group", [Normal(2, 3, 3, 2), Normal(3), Normal(3)], ("num_groups", 3)) { Opset = 22, SingleOnly = Stash },
        new("InstanceNormalization", "image", [Normal(Image), Normal(3), Normal(3)]),
        new("InstanceNormalization", "sequence, epsilon", [Normal(2, 3, 5), Normal(3), Normal(3)], ("epsilon", 0.1)),
        new("InstanceNormalization", "volume", [Normal(2, 3, 2, 3, 2), Normal(3), Normal(3)]),
        new("InstanceNormalization", "constant scale and bias", [Normal(Image), Constant([3], 1, -2, 0.5), Constant([3], 0, 1, 2)]),
        new("LRN", "odd window", [Normal(2, 7, 2, 2)], ("size", 5), ("alpha", 0.4), ("beta", 0.6), ("bias", 1.5)),
        new("LRN", "wider than the channels", [Normal(2, 3, 2, 2)], ("size", 7), ("alpha", 0.9)),
        new("LRN", "one channel, default beta and bias", [Normal(2, 4, 3, 2)], ("size", 1), ("alpha", 0.5)),
        new("LayerNormalization", "last axis", [Normal(2, 3, 4), Normal(4), Normal(4)]),
        new("LayerNormalization", "two axes, no bias", [Normal(2, 3, 4), Normal(3, 4)], ("axis", 1), ("epsilon", 0.01)),
        new("LayerNormalization", "all axes", [Normal(2, 3, 4), Normal(2, 3, 4), Normal(2, 3, 4)], ("axis", 0)),
        new("LayerNormalization", "scale and bias widened", [Normal(2, 3, 4), Normal(1, 4), Normal(3, 1)], ("axis", -2)),
        new("LayerNormalization", "statistics used", [Normal(2, 3, 4), Normal(3, 4), Normal(3, 4)], ("axis", 1)) { Outputs = 3, SingleOnly = Stash },
        new("LayerNormalization", "mean used", [Normal(2, 3, 4), Normal(4)]) { Outputs = 2, SingleOnly = Stash },
        new("LpNormalization", "2-norm, last axis", [Normal(2, 3, 4)]),
        new("LpNormalization", "2-norm, middle axis", [Normal(2, 3, 4)], ("axis", 1), ("p", 2)),
        new("LpNormalization", "1-norm, first axis", [AwayFromZero(2, 3, 4)], ("axis", 0), ("p", 1)),
        new("LpNormalization", "1-norm, negative axis", [AwayFromZero(2, 3, 4)], ("axis", -2), ("p", 1)),
        new("MeanVarianceNormalization", "image", [Normal(Image)]),
        new("MeanVarianceNormalization", "each channel of a sample", [Normal(Image)], ("axes", new long[] { 2, 3 })),
        new("MeanVarianceNormalization", "all axes", [Normal(Image)], ("axes", new long[] { 0, 1, 2, 3 })),
        new("MeanVarianceNormalization", "last axis of three", [Normal(2, 3, 4)], ("axes", new long[] { -1 })),
        new("RMSNormalization", "last axis", [Normal(2, 3, 4), Normal(4)]) { Opset = 23 },
        new("RMSNormalization", "two axes, epsilon", [Normal(2, 3, 4), Normal(3, 4)], ("axis", 1), ("epsilon", 0.1)) { Opset = 23 },
    ];

    private static GradientCase Batch(string form, long[] dims, params (string, object?)[] attributes) =>
        new("BatchNormalization", form, [Normal(dims), Normal(3), Of([3], 0.3, -0.2, 1.1), Of([3], -0.4, 0.5, 0.1), Of([3], 0.6, 1.7, 1.2)], attributes);

    private static GradientCase Trained(string form, long[] dims, params (string, object?)[] attributes) =>
        Batch(form, dims, [("training_mode", 1), .. attributes]) with { Outputs = 3 };
}
