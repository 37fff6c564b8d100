using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>
/// Rectified flow: x_t = (1 - t) x0 + t noise, the network predicts v = noise - x0. With sigma = t/(1 - t):
/// t = sigma/(1 + sigma), D = [x - sigma v(x/(1 + sigma), t)]/(1 + sigma) (methods.md section 2).
/// </summary>
internal sealed class FlowConvention : ITeacherConvention
{
    public string Name => "flow";

    public string Summary => "velocity noise - data, time 0 is data and 1 is noise";

    // t from 0.002 to 0.9877: EDM's own range, well inside what a network with a continuous time has seen.
    public (double Min, double Max) SigmaRange => (0.002, 80);

    public Value Denoise(GraphBuilder b, Value x, Value sigma, Func<Value, Value, Value> network)
    {
        var inverse = b.Reciprocal(b.Add(sigma, 1));
        var shrink = b.PerSample(inverse, x.Shape.Rank);
        var velocity = network(b.Mul(x, shrink), b.Mul(sigma, inverse));
        return b.Mul(b.Sub(x, b.Mul(b.PerSample(sigma, x.Shape.Rank), velocity)), shrink);
    }
}
