using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>
/// How a network's own noisy state x_t = alpha (x0 + sigma noise) and its own time belong to the EDM noise level sigma (methods.md section 2).
/// All levels here are in the units of the network's data.
/// </summary>
internal interface INoiseSchedule
{
    /// <summary>The levels that the network was trained on.</summary>
    (double Min, double Max) SigmaRange { get; }

    /// <summary>alpha of levels [N].</summary>
    Value Alpha(GraphBuilder b, Value sigma);

    /// <summary>The network's own time at levels [N], as a real number.</summary>
    Value Time(GraphBuilder b, Value sigma);
}
