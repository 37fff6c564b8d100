using OnnxDistill.Runtime.Buffers;

namespace OnnxDistill.Training;

/// <summary>
/// The numbers of one trained network: weights, moments and EMA as flat vectors, each twice (what a run reads and what it writes),
/// and the gradient, from the parts of the batch to their sum. Owns its buffers.
/// </summary>
public sealed class NetworkState : IDisposable
{
    private readonly Dictionary<string, TensorBuffer[]> _vectors = new(StringComparer.Ordinal);

    /// <summary>Vectors at their initial values: weights (and EMA) of the template, moments zero.</summary>
    /// <param name="network">What is trained.</param>
    /// <param name="lanes">Parts of the batch, each with a gradient of its own.</param>
    public NetworkState(TrainedNetwork network, int lanes = 1) : this(network, new BatchParts(lanes, lanes))
    {
    }

    /// <summary>Vectors at their initial values, with a gradient for each lane and, where the parts have to be added up, two for their sum.</summary>
    /// <param name="network">What is trained.</param>
    /// <param name="parts">How the batch is cut.</param>
    /// <param name="memory">The device whose memory holds the vectors; null for the host's.</param>
    public NetworkState(TrainedNetwork network, BatchParts parts, DeviceMemory? memory = null)
    {
        (Description, Parts, Memory) = (network, parts, memory);
        foreach (var name in OptimizerGraph.State(network.Optimizer, network.HasEma))
            _vectors[name] = [network.Layout.Allocate(memory), network.Layout.Allocate(memory)];
        Gradients = [.. Enumerable.Range(0, parts.Lanes).Select(_ => network.Layout.Allocate(memory))];
        Sums = [.. Enumerable.Range(0, parts.AddsUp ? Math.Min(parts.Rounds, 2) : 0).Select(_ => network.Layout.Allocate(memory))];
        foreach (var parameter in network.Network.Parameters)
        {
            network.Layout.View(Current(OptimizerGraph.Weights), parameter.Name).CopyFrom(parameter.Constant!);
            if (network.HasEma)
                network.Layout.View(Current(OptimizerGraph.Ema), parameter.Name).CopyFrom(parameter.Constant!);
        }
    }

    /// <summary>The device whose memory holds the vectors; null for the host's.</summary>
    public DeviceMemory? Memory { get; }

    /// <summary>What the vectors mean.</summary>
    public TrainedNetwork Description { get; }

    /// <summary>How the batch is cut.</summary>
    public BatchParts Parts { get; }

    /// <summary>The gradients that the phases write, one a lane; numbers of parameters without gradient stay zero.</summary>
    public IReadOnlyList<TensorBuffer> Gradients { get; }

    /// <summary>The gradient so far, summed over lanes and rounds: round r writes number r mod 2 and reads the other one. Empty where nothing is added up.</summary>
    internal IReadOnlyList<TensorBuffer> Sums { get; }

    /// <summary>What the optimizer reads when all rounds are done: the sum, or the lanes' gradients. Ranks exchange the only one there is.</summary>
    internal IReadOnlyList<TensorBuffer> Totals => Parts.AddsUp ? [Sums[(Parts.Rounds - 1) % 2]] : Gradients;

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
        foreach (var gradient in Gradients.Concat(Sums))
            gradient.Dispose();
    }
}
