using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Students;

/// <summary>What is trained to turn a latent, standard normal numbers, into a sample in one step: a denoiser at one noise level, or a network of any other
/// architecture.</summary>
public interface IStudent
{
    /// <summary>What error messages call it.</summary>
    string What { get; }

    /// <summary>Kind of its samples, <c>image</c> or <c>points</c>, as a teacher's card has it.</summary>
    string Data { get; }

    /// <summary>Number of classes, 0 for none.</summary>
    int Labels { get; }

    /// <summary>Licence of what it is made of, as its source states it.</summary>
    string Licence { get; }

    /// <summary>Extents of one sample, without the batch.</summary>
    long[] DataShape { get; }

    /// <summary>Extents of one latent, without the batch.</summary>
    long[] LatentShape { get; }

    /// <summary>Noise level of a denoiser's one step, in the data's units; null for other architectures.</summary>
    double? SigmaInit { get; }

    /// <summary>The network at a fixed batch, normalised, every shape known.</summary>
    Network AtBatch(int batch);

    /// <summary>The network with its batch left symbolic, for export.</summary>
    Network AtAnyBatch();

    /// <summary>Emits x = G(z).</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="scope">Prefix of their names.</param>
    /// <param name="network">One of this student's networks.</param>
    /// <param name="z">Latents [N, ...].</param>
    /// <param name="label">Classes [N]; null when it takes none.</param>
    /// <param name="parameters">Values for parameters by name.</param>
    Value Emit(GraphBuilder b, string scope, Network network, Value z, Value? label, IReadOnlyDictionary<string, Value> parameters);
}
