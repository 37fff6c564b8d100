using System.ComponentModel.DataAnnotations;

namespace OnnxDistill.Methods.Augmentation;

/// <summary>Which images an <see cref="AugmentPipe"/> changes and how far; defaults but for the probability are EDM's.</summary>
public sealed record AugmentOptions
{
    /// <summary>Probability of each transformation, times its own factor, for each image; 0 for no augmentation. EDM: 0.12 for CIFAR-10, 0.15 for FFHQ and AFHQ.</summary>
    [Range(0, 1)]
    public double Probability { get; init; }

    /// <summary>Factor of mirroring left to right, which then happens every other time; so large that it applies to all images.</summary>
    [Range(0, 1e9)]
    public double FlipX { get; init; } = 1e8;

    /// <summary>Factor of mirroring top to bottom, which then happens every other time.</summary>
    [Range(0, 1e9)]
    public double FlipY { get; init; } = 1;

    /// <summary>Factor of scaling.</summary>
    [Range(0, 1e9)]
    public double Scale { get; init; } = 1;

    /// <summary>Factor of rotating.</summary>
    [Range(0, 1e9)]
    public double Rotate { get; init; } = 1;

    /// <summary>Factor of stretching along one axis and shrinking along the other.</summary>
    [Range(0, 1e9)]
    public double Stretch { get; init; } = 1;

    /// <summary>Factor of moving.</summary>
    [Range(0, 1e9)]
    public double Translate { get; init; } = 1;

    /// <summary>Standard deviation of the scale, in powers of 2.</summary>
    [Range(0, 4)]
    public double ScaleDeviation { get; init; } = 0.2;

    /// <summary>Largest rotation either way, in half turns.</summary>
    [Range(0, 1)]
    public double LargestRotation { get; init; } = 1;

    /// <summary>Standard deviation of the stretch, in powers of 2.</summary>
    [Range(0, 4)]
    public double StretchDeviation { get; init; } = 0.2;

    /// <summary>Probability that a stretch's axes are turned.</summary>
    [Range(0, 1)]
    public double StretchTurned { get; init; } = 0.5;

    /// <summary>Standard deviation of moving, in widths and heights of the image.</summary>
    [Range(0, 1)]
    public double TranslateDeviation { get; init; } = 0.125;
}
