using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks.Posteriors;

/// <summary>What <see cref="PosteriorScaling"/> stands for, at the noise levels of a batch.</summary>
internal sealed class PosteriorUnits
{
    private static readonly double SoftplusOfOne = Math.Log(Math.E - 1);

    private readonly GraphBuilder _b;
    private readonly Value _sigma;
    private readonly Value? _cIn;

    private PosteriorUnits(GraphBuilder b, Value sigma, Value? cIn, Value noise) => (_b, _sigma, _cIn, Noise) = (b, sigma, cIn, noise);

    /// <summary>The noise level as a network sees it, [N, 1].</summary>
    public Value Noise { get; }

    public static PosteriorUnits Of(GraphBuilder b, PosteriorScaling scaling, Value sigma, double sigmaData)
    {
        var column = b.Unsqueeze(sigma, 1);
        if (scaling == PosteriorScaling.None)
            return new PosteriorUnits(b, sigma, null, column);
        var cIn = b.Reciprocal(b.Sqrt(b.Add(b.Square(sigma), sigmaData * sigmaData)));
        return new PosteriorUnits(b, sigma, cIn, b.Mul(b.Log(column), 0.25));
    }

    /// <summary>Noisy samples as a network sees them.</summary>
    public Value Seen(Value x) => _cIn is null ? x : _b.Mul(x, _b.PerSample(_cIn, x.Shape.Rank));

    /// <summary>The deviations that the network's numbers [N, ...] stand for; zeros are the linear student's in EDM's units.</summary>
    public Value Deviation(Value raw)
    {
        if (_cIn is null)
            return _b.Mul(_b.PerSample(_sigma, raw.Shape.Rank), _b.Softplus(raw));
        return _b.Mul(_b.PerSample(_b.Mul(_sigma, _cIn), raw.Shape.Rank), _b.Softplus(_b.Add(raw, SoftplusOfOne)));
    }
}
