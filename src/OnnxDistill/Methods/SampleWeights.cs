using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>Weights of a sample's loss; no gradient flows through them.</summary>
internal static class SampleWeights
{
    /// <summary>omega = 1 / sg[max(mean over pixels of |x - r|, 1e-5)] (SiD, arXiv 2404.04057, as released; methods.md, trap 8): one number a sample, with x's axes.</summary>
    public static Value InverseMeanAbs(LossContext c, Value x, Value r)
    {
        var b = c.B;
        return b.StopGradient(b.Reciprocal(b.Max(b.MeanPerSample(b.Abs(b.Sub(x, r))), b.Scalar(1e-5))));
    }
}
