using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>
/// The distribution-matching term: Yin et al., CVPR 2024, arXiv 2311.18828, equations 7 and 8, and DMD2 (arXiv 2405.14867), as released (methods.md 3.2):
/// g = weight · (f - r) / (mean|x - r| + epsilon), L = 0.5 mean (x - sg[x - g])², the means over pixels (and batch). The gradient of a sample is
/// g / (batch · pixels), and the loss's own number says how long g is.
/// Where we differ: g is 0 for a sample that the teacher leaves as it is (mean|x - r| = 0; the release makes NaN 0 and infinity the largest number).
/// Any other NaN is not hidden: such a step is skipped and counted.
/// </summary>
public static class DistributionMatching
{
    /// <summary>The term of a batch of generated samples.</summary>
    /// <param name="c">The phase's context.</param>
    /// <param name="x">The samples, through which the gradient flows.</param>
    /// <param name="r">What the teacher makes of the noised samples; no gradient flows into it.</param>
    /// <param name="f">What the fake score makes of them; no gradient flows into it.</param>
    /// <param name="weight">A factor a sample on g, [N]: f-distill's; null for none. No gradient flows into it.</param>
    /// <param name="epsilon">What is added to the distance: 1e-6 in NVIDIA's re-implementation of DMD2.</param>
    public static Value Loss(LossContext c, Value x, Value r, Value f, Value? weight = null, double epsilon = 0)
    {
        var b = c.B;
        var distance = b.MeanPerSample(b.Abs(b.Sub(x, r)));
        if (epsilon > 0)
            distance = b.Add(distance, epsilon);
        var none = b.Equal(distance, b.Scalar(0));
        var g = b.Where(none, b.Scalar(0), b.Div(b.Sub(f, r), b.Where(none, b.Scalar(1), distance)));
        if (weight is not null)
            g = b.Mul(b.PerSample(weight, x.Shape.Rank), g);
        var target = b.StopGradient(b.Sub(x, g));
        return b.Mul(c.BatchMean(b.MeanPerSample(b.Square(b.Sub(x, target)))), 0.5);
    }
}
