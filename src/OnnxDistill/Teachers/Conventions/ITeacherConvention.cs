using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>What a raw network predicts, and how it is wrapped in-graph to a denoiser D(x; sigma) of the EDM frame (methods.md section 2).</summary>
public interface ITeacherConvention
{
    /// <summary>Name on the command line and in the card.</summary>
    string Name { get; }

    /// <summary>What the network predicts and how its time runs, for help texts.</summary>
    string Summary { get; }

    /// <summary>The noise levels that the network's time can tell.</summary>
    (double Min, double Max) SigmaRange { get; }

    /// <summary>Emits D(x; sigma).</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="x">Noisy samples [N, ...] in the EDM frame: clean + sigma · noise.</param>
    /// <param name="sigma">Noise levels [N].</param>
    /// <param name="network">The raw network: its own noisy state and its own time [N] to its raw output.</param>
    Value Denoise(GraphBuilder b, Value x, Value sigma, Func<Value, Value, Value> network);
}
