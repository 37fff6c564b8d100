using System.ComponentModel.DataAnnotations;

namespace OnnxDistill.Evaluation;

/// <summary>How images are brought to what a feature extractor was trained on.</summary>
public sealed record FeatureInput
{
    /// <summary>Pixels cut from each side of a sample; a reference that has the extractor's size already is left whole.</summary>
    [Range(0, 4096)]
    public int Crop { get; init; }

    /// <summary>Subtracted from pixels in [0, 1].</summary>
    public double Mean { get; init; }

    /// <summary>Pixels are divided by it after that.</summary>
    [Range(1e-9, 1e9)]
    public double Deviation { get; init; } = 1;
}
