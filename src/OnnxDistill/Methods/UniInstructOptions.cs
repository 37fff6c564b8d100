using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace OnnxDistill.Methods;

/// <summary>How Uni-Instruct's terms are weighted over noise levels.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExpansionWeight>))]
public enum ExpansionWeight
{
    /// <summary>SiD's omega in the place of sigma^-4: what is used in practice.</summary>
    [JsonStringEnumMemberName("omega")]
    Omega,
    /// <summary>sigma^-4: the integrand of the expansion itself.</summary>
    [JsonStringEnumMemberName("integrand")]
    Integrand,
}

/// <summary>Which of the gradient's four terms are kept.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExpansionTerms>))]
public enum ExpansionTerms
{
    /// <summary>All: the exact gradient.</summary>
    [JsonStringEnumMemberName("exact")]
    Exact,
    /// <summary>The second and the third, as in the release: without the squared difference (T1) and the derivative of h (T4).</summary>
    [JsonStringEnumMemberName("released")]
    Released,
}

/// <summary>Options of <see cref="UniInstruct"/>.</summary>
public sealed record UniInstructOptions
{
    /// <summary>The divergence D_f(q_0 || p_0) that is expanded along the diffusion.</summary>
    public DivergenceKind Divergence { get; init; } = DivergenceKind.ForwardKl;

    /// <summary>Where the density ratio comes from.</summary>
    public RatioSource Ratio { get; init; } = RatioSource.Discriminator;

    /// <summary>Weight over noise levels.</summary>
    public ExpansionWeight Weight { get; init; } = ExpansionWeight.Omega;

    /// <summary>Which terms: all four, or the release's.</summary>
    public ExpansionTerms Terms { get; init; }

    /// <summary>Bounds of the density ratio.</summary>
    [MinLength(2), MaxLength(2)]
    public double[] RatioBounds { get; init; } = [0.1, 20];

    /// <summary>Largest factor on delta in the second and fourth term, which grows with |delta|²/sigma²; 0 for no limit.</summary>
    [Range(0, 1e12)]
    public double Clip { get; init; } = 10;

    /// <summary>Factor on the student's score terms (lsg).</summary>
    [Range(1e-9, 1e9)]
    public double LossScale { get; init; } = 100;

    /// <summary>Factor on the student's adversarial term (lsg_gan); 0 trains no discriminator where none is needed for the ratio.</summary>
    [Range(0, 1e9)]
    public double GanScale { get; init; } = 0.01;

    /// <summary>Law of the student step's noise levels: Karras-uniform, sigma from 0.002 to 24.4.</summary>
    public NoiseLaw StudentNoise { get; init; } = new() { Kind = NoiseLawKind.KarrasUniform, TMax = 0.8 };

    /// <summary>The fake-score step, which is the discriminator's too.</summary>
    public EncoderCriticOptions Critic { get; init; } = new();
}
