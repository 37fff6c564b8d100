using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>
/// The cosine schedule in continuous time (Nichol and Dhariwal 2021, arXiv 2102.09672, equation 17): alpha = cos(a)/cos(a0) at the angle
/// a = (t + s)/(1 + s) pi/2, a0 that of t = 0. With sigma² = 1/alpha² - 1: tan(a) = sqrt(sin²(a0) + sigma²)/cos(a0).
/// </summary>
internal sealed class VpCosineSchedule(double offset) : INoiseSchedule
{
    // At t = 1 nothing is left of the data; the discrete table's cap of beta, 0.999, ends near there as well.
    private const double Earliest = 1e-4, Latest = 0.9999;

    private double QuarterTurn => Math.PI / 2 / (1 + offset);

    private double Start => offset * QuarterTurn;

    public (double Min, double Max) SigmaRange => (SigmaOf(Earliest), SigmaOf(Latest));

    public Value Alpha(GraphBuilder b, Value sigma) => b.VariancePreserving(sigma);

    public Value Time(GraphBuilder b, Value sigma)
    {
        var square = b.Add(b.Square(sigma), Math.Pow(Math.Sin(Start), 2));
        var angle = b.ArcTangent(b.Div(b.Sqrt(square), Math.Cos(Start)));
        return b.Sub(b.Div(angle, QuarterTurn), b.Scalar(offset));
    }

    private double SigmaOf(double t) => Math.Sqrt(Math.Pow(Math.Cos(Start) / Math.Cos((t + offset) * QuarterTurn), 2) - 1);
}
