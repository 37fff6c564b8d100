using OnnxDistill.Tests.Gradients.Cases;

namespace OnnxDistill.Tests.Gradients;

/// <summary>Every case of every family: one line a family, its rows in a file of its own.</summary>
internal static class GradientCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        .. ActivationCases.All,
        .. AttentionCases.All,
        .. ConvolutionCases.All,
        .. ElementwiseCases.All,
        .. GridSampleCases.All,
        .. IndexingCases.All,
        .. MicrosoftCases.All,
        .. NormalizationCases.All,
        .. PadCases.All,
        .. PoolingCases.All,
        .. ProductCases.All,
        .. ReductionCases.All,
        .. ResizeCases.All,
        .. ShapeCases.All,
        .. TrigonometricCases.All,
    ];
}
