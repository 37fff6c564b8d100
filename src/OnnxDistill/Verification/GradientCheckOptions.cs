using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Verification;

/// <summary>How gradients are checked.</summary>
public sealed record GradientCheckOptions
{
    /// <summary>Size of a symbolic first extent; null takes 2, or what the feeds have.</summary>
    public long? Batch { get; init; }

    /// <summary>Random directions for each value.</summary>
    public int Directions { get; init; } = 3;

    /// <summary>Seed of feeds, cotangents and directions.</summary>
    public long Seed { get; init; }

    /// <summary>Largest relative error. Smooth float32 networks measure to 1e-4, their least influential biases to 2e-3; a wrong factor or a lost
    /// term is far above that.</summary>
    public double Tolerance { get; init; } = 3e-3;

    /// <summary>Whether weights that a model gives as shapes only (ConstantOfShape) get random numbers and are checked too.</summary>
    public bool RandomWeights { get; init; }

    /// <summary>Weights of more elements stay fixed: each checked one costs some forty bytes an element.</summary>
    public long MostElements { get; init; } = long.MaxValue;

    /// <summary>What kind of device the gradient's forms are chosen for; any of them runs anywhere.</summary>
    public GradientTarget Target { get; init; }

    /// <summary>Where the graphs run.</summary>
    public DeviceOptions Device { get; init; } = new();
}
