using System.ComponentModel.DataAnnotations;

namespace OnnxDistill.Evaluation;

/// <summary>How images are brought to what a feature extractor was trained on.</summary>
public sealed record FeatureInput : IValidatableObject
{
    /// <summary>Pixels cut from each side of a sample; a reference that has the extractor's size already is left whole.</summary>
    [Range(0, 4096)]
    public int Crop { get; init; }

    /// <summary>Subtracted from pixels in [0, 1]: one number, or one a channel.</summary>
    public double[] Mean { get; init; } = [0];

    /// <summary>Pixels are divided by it after that: one number, or one a channel.</summary>
    public double[] Deviation { get; init; } = [1];

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Mean.Length is not (1 or 3) || !Mean.All(double.IsFinite))
            yield return new ValidationResult($"mean: found [{string.Join(", ", Mean)}], expected one finite number, or three, one a channel.");
        if (Deviation.Length is not (1 or 3) || !Deviation.All(static d => d > 0 && double.IsFinite(d)))
            yield return new ValidationResult($"deviation: found [{string.Join(", ", Deviation)}], expected one number over 0, or three, one a channel.");
    }
}
