using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace OnnxDistill.Networks.Posteriors;

/// <summary>Families of densities over the latent.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PosteriorKind>))]
public enum PosteriorKind
{
    /// <summary>A Gaussian with a mean and a deviation for every number of the latent.</summary>
    [JsonStringEnumMemberName("gaussian")]
    Gaussian,
    /// <summary>That Gaussian over T(z), where T is a normalising flow; for latents of one axis.</summary>
    [JsonStringEnumMemberName("flow")]
    Flow,
}

/// <summary>How a posterior sees noisy samples and levels, and in which unit its deviation is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PosteriorScaling>))]
public enum PosteriorScaling
{
    /// <summary>EDM's: c_in x_t and c_noise; deviation = sigma c_in softplus(a), which is right with softplus(a) = 1 for a linear student, and tends to the latent's own 1 as noise grows.</summary>
    [JsonStringEnumMemberName("edm")]
    Edm,
    /// <summary>VarDiU's: x_t and sigma as they are; deviation = sigma softplus(a), sigma in the data's units.</summary>
    [JsonStringEnumMemberName("none")]
    None,
}

/// <summary>Options of a posterior network q(z | x_t, sigma).</summary>
public sealed record PosteriorOptions
{
    /// <summary>Which family.</summary>
    public PosteriorKind Kind { get; init; }

    /// <summary>Units of what goes in and comes out.</summary>
    public PosteriorScaling Scaling { get; init; }

    /// <summary>Width of each hidden layer (points).</summary>
    [MinLength(1)]
    public int[] Hidden { get; init; } = [400, 400, 400, 400];

    /// <summary>The U-Net (images); its own seed is left aside for <see cref="Seed"/>.</summary>
    public SongUNetOptions UNet { get; init; } = new() { Channels = 32, Multipliers = [1, 2, 2], Blocks = 1, AttentionResolutions = [] };

    /// <summary>The flow.</summary>
    public FlowOptions Flow { get; init; } = new();

    /// <summary>Seed of the initial weights.</summary>
    public long Seed { get; init; }
}

/// <summary>Options of a <see cref="PosteriorFlow"/>.</summary>
public sealed record FlowOptions
{
    /// <summary>Layers, each a spline and a linear map.</summary>
    [Range(1, 64)]
    public int Layers { get; init; } = 4;

    /// <summary>Width of each hidden layer of a spline's conditioner.</summary>
    [MinLength(1)]
    public int[] Hidden { get; init; } = [128, 128];

    /// <summary>Pieces of a spline.</summary>
    [Range(2, 256)]
    public int Bins { get; init; } = 8;

    /// <summary>The spline lies on [-bound, bound]; beyond, it is the identity.</summary>
    [Range(0.1, 100)]
    public double Bound { get; init; } = 4;
}
