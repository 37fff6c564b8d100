using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>Rectified flow, x_t = (1 - t) x0 + t noise (Liu et al. 2022, arXiv 2209.03003): alpha = 1/(1 + sigma), t = sigma/(1 + sigma); reversed, time is 0 at
/// the noise and 1 at the data.</summary>
internal sealed class FlowSchedule(bool reversed) : INoiseSchedule
{
    // t from 0.002 to 0.9877: EDM's own range, well inside what a network with a continuous time has seen.
    public (double Min, double Max) SigmaRange => (0.002, 80);

    public Value Alpha(GraphBuilder b, Value sigma) => b.Reciprocal(b.Add(sigma, 1));

    public Value Time(GraphBuilder b, Value sigma) => reversed ? Alpha(b, sigma) : b.Mul(sigma, Alpha(b, sigma));
}
