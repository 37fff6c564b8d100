using System.Text.Json.Serialization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>f-divergences D_f(q || p) = E_p[f(rho)], rho = q/p: teacher (or data) over student.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DivergenceKind>))]
public enum DivergenceKind
{
    /// <summary>f = -ln rho: KL(p || q).</summary>
    [JsonStringEnumMemberName("reverse-kl")]
    ReverseKl,
    /// <summary>f = rho ln rho: KL(q || p).</summary>
    [JsonStringEnumMemberName("forward-kl")]
    ForwardKl,
    /// <summary>f = (rho - 1) ln rho: their sum.</summary>
    [JsonStringEnumMemberName("jeffreys")]
    Jeffreys,
    /// <summary>f = rho ln rho - (rho + 1) ln((rho + 1)/2): twice the usual one.</summary>
    [JsonStringEnumMemberName("jensen-shannon")]
    JensenShannon,
    /// <summary>f = (rho + 1) ln((rho + 1)/(2 rho)).</summary>
    [JsonStringEnumMemberName("softened-reverse-kl")]
    SoftenedReverseKl,
    /// <summary>f = (1 - sqrt(rho))².</summary>
    [JsonStringEnumMemberName("squared-hellinger")]
    SquaredHellinger,
    /// <summary>f = (1 - rho)²/rho.</summary>
    [JsonStringEnumMemberName("neyman-chi-square")]
    Neyman,
    /// <summary>f = (rho - 1)².</summary>
    [JsonStringEnumMemberName("chi-square")]
    Pearson,
}

/// <summary>
/// What the gradients of an f-divergence weigh score differences with: h = rho² f''(rho) (f-distill, arXiv 2502.15681), and for its expansion along the diffusion
/// (Uni-Instruct, arXiv 2505.20755) A = h - rho h', B = -rho² h'', C = rho h'. Derived and checked in methods.md 3.7 and 3.8; each is a function of rho.
/// </summary>
internal sealed record Divergence(Func<GraphBuilder, Value, Value> H, Func<GraphBuilder, Value, Value> A, Func<GraphBuilder, Value, Value> B, Func<GraphBuilder, Value, Value> C)
{
    private static readonly Dictionary<DivergenceKind, Divergence> All = new()
    {
        [DivergenceKind.ReverseKl] = new(Constant(1), Constant(1), Constant(0), Constant(0)),
        [DivergenceKind.ForwardKl] = new(Power(1, 1), Constant(0), Constant(0), Power(1, 1)),
        [DivergenceKind.Jeffreys] = new((b, r) => b.Add(r, 1), Constant(1), Constant(0), Power(1, 1)),
        [DivergenceKind.JensenShannon] = new(Rational(1, 1, 1), Rational(1, 2, 2), Rational(2, 2, 3), Rational(1, 1, 2)),
        [DivergenceKind.SoftenedReverseKl] = new(Rational(1, 0, 1), (b, r) => b.Div(b.Add(b.Mul(r, 2), 1), b.Square(b.Add(r, 1))), Rational(-2, 2, 3), Rational(-1, 1, 2)),
        [DivergenceKind.SquaredHellinger] = new(Power(0.5, 0.5), Power(0.25, 0.5), Power(0.125, 0.5), Power(0.25, 0.5)),
        [DivergenceKind.Neyman] = new(Power(2, -1), Power(4, -1), Power(-4, -1), Power(-2, -1)),
        [DivergenceKind.Pearson] = new(Power(2, 2), Power(-2, 2), Power(-4, 2), Power(4, 2)),
    };

    /// <summary>The one of that kind.</summary>
    public static Divergence Of(DivergenceKind kind) => All[kind];

    private static Func<GraphBuilder, Value, Value> Constant(double value) => (b, rho) => b.Full(rho.Shape, value, rho.Type);

    // factor rho^exponent
    private static Func<GraphBuilder, Value, Value> Power(double factor, double exponent) =>
        (b, rho) => b.Mul(exponent == 1 ? rho : b.Pow(rho, exponent), factor);

    // factor rho^above / (1 + rho)^below
    private static Func<GraphBuilder, Value, Value> Rational(double factor, int above, int below) =>
        (b, rho) => b.Mul(b.Div(above == 0 ? b.Full(rho.Shape, 1, rho.Type) : b.Pow(rho, above), b.Pow(b.Add(rho, 1), below)), factor);
}
