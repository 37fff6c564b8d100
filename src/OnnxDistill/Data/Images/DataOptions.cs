using System.ComponentModel.DataAnnotations;

namespace OnnxDistill.Data.Images;

/// <summary>A recipe's group <c>data</c>: the real samples that a teacher is made of, or that a method needs beside its teacher.</summary>
public sealed record DataOptions : IValidatableObject
{
    /// <summary>Where the images are, relative to the recipe: a folder, .zip or .tar(.gz) of PNG, JPEG, WebP, BMP or GIF files; an .npy or .npz array; an idx file.</summary>
    public string Images { get; init; } = "";

    /// <summary>Instead of images: CSV file of a mixture, relative to the recipe, whose samples are drawn anew in every step.</summary>
    public string Mixture { get; init; } = "";

    /// <summary>Where their classes are, relative to the recipe: a .csv with the columns file and label, an idx file or an .npy of whole numbers; <c>own</c> for what
    /// the images bring along (names of folders on the first level, an .npz's array <c>labels</c>); empty for images without classes. Names that are whole numbers
    /// stand for themselves, others for their place in ordinal order.</summary>
    public string Labels { get; init; } = "";

    /// <summary>Side in pixels: images are cropped to the square in their middle, then averaged down to it by area. 0 leaves them as they are, and all have to be of one size.</summary>
    [System.ComponentModel.DataAnnotations.Range(0, 16384)]
    public int Size { get; init; }

    /// <summary>1 for grey (of colours their luma, ITU-R BT.601), 3 for red, green, blue; 0 for what the first image has.</summary>
    [AllowedValues(0, 1, 3)]
    public int Channels { get; init; }

    /// <summary>What shows through transparent pixels.</summary>
    [AllowedValues("white", "black")]
    public string Background { get; init; } = "white";

    /// <summary>The two numbers of a float array that mean black and white; bytes always run from 0 to 255.</summary>
    public double[] Range { get; init; } = [-1, 1];

    /// <summary>Megabytes that decoded images may take; sets that need more are decoded again each time, ahead of the step that needs them.</summary>
    [System.ComponentModel.DataAnnotations.Range(0, 1e9)]
    public double CacheMb { get; init; } = 4096;

    /// <summary>Images that cannot be read end the run, instead of being listed and left out.</summary>
    public bool Strict { get; init; }

    /// <summary>Mirror every image left to right with probability 1/2.</summary>
    public bool Flip { get; init; }

    /// <summary>Standard deviation that the teacher's card tells; EDM takes 0.5 for images in [-1, 1], whatever they show.</summary>
    [System.ComponentModel.DataAnnotations.Range(1e-6, 1e6)]
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Licence of the images, for the teacher's card.</summary>
    public string Licence { get; init; } = "not stated";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Mixture.Length > 0 && Images.Length > 0)
            yield return new ValidationResult($"images and mixture: found both, expected one of them to learn from.");
        if (Range is not [var black, var white] || !double.IsFinite(white - black) || black == white)
            yield return new ValidationResult($"range: found [{string.Join(", ", Range)}], expected two different numbers, such as [0, 1].");
    }
}
