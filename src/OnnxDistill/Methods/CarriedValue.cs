using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>A small vector that a phase keeps from update to update (f-distill's mean ratio of each noise level): an input of its graph, and the output that
/// becomes the input of the next update. Part of the saved state.</summary>
/// <param name="name">Its name, unique within the phase.</param>
/// <param name="initial">What the first update finds.</param>
public sealed class CarriedValue(string name, TensorData initial)
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>What the first update finds.</summary>
    public TensorData Initial => initial;

    /// <summary>What the next update finds; null while the loss has not said so.</summary>
    public Value? Next { get; internal set; }

    /// <summary>Name of the graph's input of such a vector.</summary>
    public static string InputName(string name) => $"carried_{name}";

    /// <summary>Name of the graph's output of such a vector.</summary>
    public static string OutputName(string name) => $"next_{name}";
}
