using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>
/// The variance-preserving SDE with a linear beta(t) = beta_min + beta_d t (Song et al. 2021, arXiv 2011.13456): 1 + sigma² = e^B,
/// B = beta_d t²/2 + beta_min t, alpha = 1/sqrt(1 + sigma²).
/// </summary>
internal sealed class VpSchedule(double betaMin, double betaSlope) : INoiseSchedule
{
    // score_sde trains on t from 1e-5.
    public (double Min, double Max) SigmaRange => (SigmaOf(1e-5), SigmaOf(1));

    public Value Alpha(GraphBuilder b, Value sigma) => b.VariancePreserving(sigma);

    public Value Time(GraphBuilder b, Value sigma) => TimeOf(b, b.LogOnePlus(b.Square(sigma)), betaMin, betaSlope);

    /// <summary>The t of an integral B: the positive root of beta_d t²/2 + beta_min t = B, in the form that does not cancel.</summary>
    public static Value TimeOf(GraphBuilder b, Value integral, double betaMin, double betaSlope)
    {
        var root = b.Sqrt(b.Add(b.Mul(integral, 2 * betaSlope), betaMin * betaMin));
        return b.Div(b.Mul(integral, 2), b.Add(root, betaMin));
    }

    private double SigmaOf(double t) => Math.Sqrt(Math.Exp((betaSlope * t * t / 2) + (betaMin * t)) - 1);
}
