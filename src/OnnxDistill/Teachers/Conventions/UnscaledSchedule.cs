using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>
/// Noise added to data that is not scaled down (variance exploding): alpha = 1. Its own time is that of Song et al.'s VE SDE (arXiv 2011.13456),
/// sigma = min (max/min)^t.
/// </summary>
internal sealed class UnscaledSchedule(double min, double max) : INoiseSchedule
{
    public (double Min, double Max) SigmaRange => (min, max);

    public Value Alpha(GraphBuilder b, Value sigma) => b.Constant(TensorData.Of([1f], 1));

    public Value Time(GraphBuilder b, Value sigma) => b.Mul(b.Log(b.Mul(sigma, 1 / min)), 1 / Math.Log(max / min));
}
