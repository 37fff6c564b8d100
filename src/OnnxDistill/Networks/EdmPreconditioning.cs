using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks;

/// <summary>
/// D(x; sigma) = c_skip x + c_out F(c_in x, c_noise), Karras et al. 2022 (arXiv 2206.00364), table 1:
/// c_skip = sd²/(sigma²+sd²), c_out = sigma sd/sqrt(sigma²+sd²), c_in = 1/sqrt(sigma²+sd²), c_noise = ln(sigma)/4.
/// </summary>
public static class EdmPreconditioning
{
    /// <summary>Wraps a raw network.</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="x">Noisy samples [N, ...].</param>
    /// <param name="sigma">Noise levels [N].</param>
    /// <param name="sigmaData">Standard deviation of the data.</param>
    /// <param name="network">F: takes the scaled samples and c_noise [N, 1, ...].</param>
    public static Value Apply(GraphBuilder b, Value x, Value sigma, double sigmaData, Func<Value, Value, Value> network)
    {
        using var scope = b.Scope("edm");
        var s = b.PerSample(sigma, x.Shape.Rank);
        var total = b.Add(b.Square(s), sigmaData * sigmaData);
        var cIn = b.Reciprocal(b.Sqrt(total));
        var cSkip = b.Div(b.Scalar(sigmaData * sigmaData), total);
        var cOut = b.Mul(b.Mul(s, sigmaData), cIn);
        var cNoise = b.Mul(b.Log(s), 0.25);
        var f = network(b.Mul(cIn, x), cNoise);
        return b.Add(b.Mul(cSkip, x), b.Mul(cOut, f));
    }

    /// <summary>A vector [N] as [N, 1, ...] of that rank, to stand beside samples.</summary>
    public static Value PerSample(this GraphBuilder b, Value vector, int rank) =>
        b.Unsqueeze(vector, [.. Enumerable.Range(1, rank - 1).Select(i => (long)i)]);
}
