using System.ComponentModel.DataAnnotations;

namespace OnnxDistill.Data.Images;

/// <summary>A recipe's group <c>data</c>: the real images that a teacher is made of, or that a method needs beside its teacher.</summary>
public sealed record DataOptions
{
    /// <summary>Where the images are, relative to the recipe.</summary>
    public string Images { get; init; } = "";

    /// <summary>Where their classes are, relative to the recipe; empty for images without classes.</summary>
    public string Labels { get; init; } = "";

    /// <summary>Mirror every image left to right with probability 1/2.</summary>
    public bool Flip { get; init; }

    /// <summary>Standard deviation that the teacher's card tells; EDM takes 0.5 for images in [-1, 1], whatever they show.</summary>
    [Range(1e-6, 1e6)]
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Licence of the images, for the teacher's card.</summary>
    public string Licence { get; init; } = "not stated";
}
