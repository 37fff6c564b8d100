using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace OnnxDistill.Students;

/// <summary>Laws of the numbers that a foreign generator is fed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LatentLaw>))]
public enum LatentLaw
{
    /// <summary>Standard normal.</summary>
    [JsonStringEnumMemberName("normal")]
    Normal,
    /// <summary>Uniform in [0, 1).</summary>
    [JsonStringEnumMemberName("uniform")]
    Uniform,
    /// <summary>Uniform in [-1, 1).</summary>
    [JsonStringEnumMemberName("signed-uniform")]
    SignedUniform,
}

/// <summary>How a foreign generator's file is read; this project's own files need none of it.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Law of its latent. The student's own is always normal: u = Phi(z) is put before the network.</summary>
    public LatentLaw Latent { get; init; }

    /// <summary>Range of its samples: <c>-1..1</c>, <c>0..1</c>, <c>0..255</c>, any two numbers, or <c>free</c> (points). The student's own images are -1..1.</summary>
    [Required]
    public string Range { get; init; } = "-1..1";

    /// <summary>Order of its color channels, <c>rgb</c> or <c>bgr</c>; the student's own is rgb.</summary>
    [AllowedValues("rgb", "bgr")]
    public string Channels { get; init; } = "rgb";

    /// <summary>Order of its axes, <c>nchw</c> or <c>nhwc</c>; the student's own is nchw.</summary>
    [AllowedValues("nchw", "nhwc")]
    public string Layout { get; init; } = "nchw";

    /// <summary>Name of the latent input; empty: the only one that is no label.</summary>
    public string LatentInput { get; init; } = "";

    /// <summary>Name of the label input; empty: the only one that is no latent.</summary>
    public string LabelInput { get; init; } = "";

    /// <summary>Name of the output; empty: the only one.</summary>
    public string Output { get; init; } = "";
}
