using System.ComponentModel.DataAnnotations;

namespace OnnxDistill.Methods;

/// <summary>A frozen network that tells how far apart two images look, see <see cref="PerceptualDistance"/>.</summary>
public sealed record PerceptualOptions : IValidatableObject
{
    /// <summary>The network's ONNX file, relative to the recipe; empty for the mean squared error of the pixels.</summary>
    public string Model { get; init; } = "";

    /// <summary>Tensors of a network of features, inside it or outputs; empty for all its outputs.</summary>
    public string[] Tensors { get; init; } = [];

    /// <summary>Whether features are divided by their length over the channels at each place, as LPIPS does.</summary>
    public bool Normalize { get; init; }

    /// <summary>Height and width that images are resized to; 0 for those that the file fixes, else 224.</summary>
    [Range(0, 8192)]
    public int Size { get; init; }

    /// <summary>Subtracted from pixels in [0, 1]: one number, or one a channel; 0.5 with a deviation of 0.5 for a network that takes [-1, 1].</summary>
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
