using OnnxDistill.Runtime.Buffers;

namespace OnnxDistill.Training;

/// <summary>
/// The numbers of one trained network: weights, moments and EMA as flat vectors, each twice (what a run reads and what it writes),
/// and the gradient. Owns its buffers.
/// </summary>
public sealed class NetworkState : IDisposable
{
    private readonly Dictionary<string, TensorBuffer[]> _vectors = new(StringComparer.Ordinal);

    /// <summary>Vectors at their initial values: weights (and EMA) of the template, moments zero.</summary>
    /// <param name="network">What is trained.</param>
    /// <param name="lanes">Parts of the batch, each with a gradient of its own.</param>
    public NetworkState(TrainedNetwork network, int lanes = 1)
    {
        Description = network;
        foreach (var name in OptimizerGraph.State(network.Optimizer, network.HasEma))
            _vectors[name] = [network.Layout.Allocate(), network.Layout.Allocate()];
        Gradients = [.. Enumerable.Range(0, lanes).Select(_ => network.Layout.Allocate())];
        foreach (var parameter in network.Network.Parameters)
        {
            network.Layout.View(Current(OptimizerGraph.Weights), parameter.Name).CopyFrom(parameter.Constant!);
            if (network.HasEma)
                network.Layout.View(Current(OptimizerGraph.Ema), parameter.Name).CopyFrom(parameter.Constant!);
        }
    }

    /// <summary>What the vectors mean.</summary>
    public TrainedNetwork Description { get; }

    /// <summary>The gradients that the phases write and the optimizer reads, one a lane; numbers of parameters without gradient stay zero.</summary>
    public IReadOnlyList<TensorBuffer> Gradients { get; }

    /// <summary>Which of each pair holds the current values: 0 or 1.</summary>
    public int Parity { get; private set; }

    /// <summary>Updates made so far.</summary>
    public long Step { get; set; }

    /// <summary>Names of the vectors, in the optimizer's order.</summary>
    public IEnumerable<string> Vectors => OptimizerGraph.State(Description.Optimizer, Description.HasEma);

    /// <summary>The current values of a vector.</summary>
    public TensorBuffer Current(string vector) => _vectors[vector][Parity];

    /// <summary>A vector of the pair by parity.</summary>
    public TensorBuffer At(string vector, int parity) => _vectors[vector][parity];

    /// <summary>Makes what the last run wrote the current values.</summary>
    public void Swap() => Parity = 1 - Parity;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _vectors.Values.SelectMany(pair => pair))
            buffer.Dispose();
        foreach (var gradient in Gradients)
            gradient.Dispose();
    }
}
