using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>
/// The sub-VP SDE (Song et al. 2021, arXiv 2011.13456): alpha = e^(-B/2), noise 1 - e^-B with the B of <see cref="VpSchedule"/>. So sigma = 2 sinh(B/2),
/// B/2 = asinh(s) with s = sigma/2, and alpha = 1/(s + sqrt(1 + s²)).
/// </summary>
internal sealed class SubVpSchedule(double betaMin, double betaSlope) : INoiseSchedule
{
    // score_sde samples this SDE down to t = 1e-3.
    public (double Min, double Max) SigmaRange => (SigmaOf(1e-3), SigmaOf(1));

    public Value Alpha(GraphBuilder b, Value sigma)
    {
        var s = b.Mul(sigma, 0.5);
        return b.Reciprocal(b.Add(s, Hypotenuse(b, s)));
    }

    public Value Time(GraphBuilder b, Value sigma)
    {
        // asinh(s) = ln(1 + s + s²/(1 + sqrt(1 + s²))).
        var s = b.Mul(sigma, 0.5);
        var halfIntegral = b.LogOnePlus(b.Add(s, b.Div(b.Square(s), b.Add(Hypotenuse(b, s), 1))));
        return VpSchedule.TimeOf(b, b.Mul(halfIntegral, 2), betaMin, betaSlope);
    }

    private static Value Hypotenuse(GraphBuilder b, Value s) => b.Sqrt(b.Add(b.Square(s), 1));

    private double SigmaOf(double t) => 2 * Math.Sinh(((betaSlope * t * t / 2) + (betaMin * t)) / 2);
}
