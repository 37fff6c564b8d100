using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>
/// A way to train a one-step student from a teacher. A method is an expression: each phase writes its loss with builder calls as the
/// paper writes it, and the differentiator does the rest. Which networks it trains beside the student (a fake score, a posterior, a
/// discriminator) and in which order is part of the method.
/// </summary>
public interface IDistillationMethod
{
    /// <summary>Name in recipes.</summary>
    string Name { get; }

    /// <summary>Paper, as the README's table shows it.</summary>
    string Paper { get; }

    /// <summary>The method's own options, as the resolved recipe stores them.</summary>
    object Options { get; }

    /// <summary>Networks that are trained beside the student.</summary>
    IReadOnlyList<AuxiliaryNetwork> Auxiliaries { get; }

    /// <summary>The phases of one iteration, in order.</summary>
    IReadOnlyList<TrainingPhase> Phases { get; }

    /// <summary>Whether a loss looks at the batch as a whole (statistics over it), so that the mean of its parts' losses is another loss.</summary>
    bool CouplesBatch => false;

    /// <summary>What the method reads of a denoiser beside its output.</summary>
    IReadOnlyList<FeatureTap> Taps => [];

    /// <summary>The teacher's own samples that the method learns from, with the noise they came from; null for none.</summary>
    PairOptions? Pairs => null;

    /// <summary>Whether there is a teacher to distil; a method without one learns from data alone.</summary>
    bool NeedsTeacher => true;

    /// <summary>Whether the method learns from real samples: images, or a mixture's points.</summary>
    bool NeedsSamples => false;

    /// <summary>Whether labels of generated samples follow the classes' shares among the real images, when there are any; else they are uniform.</summary>
    bool LabelsFollowData => false;

    /// <summary>The paper's own figure, as the README's table shows it; empty for none.</summary>
    string Published => "";

    /// <summary>Training defaults of the paper, over the general ones and under the recipe's.</summary>
    JsonObject Preset { get; }
}

/// <summary>A network that a method trains beside the student.</summary>
/// <param name="Role">Its name in losses, artifacts and state files.</param>
/// <param name="Build">Makes a network of the method's own (a posterior, a discriminator); null for a denoiser that starts as the recipe's initial one does.</param>
public sealed record AuxiliaryNetwork(string Role, Func<DistillationTask, Network>? Build = null)
{
    /// <summary>Changes the initial denoiser into what is trained (LoRA: see <see cref="Lora"/>); null to train all of it.</summary>
    public Func<Network, Network>? Adapt { get; init; }
}

/// <summary>One training graph: a loss, the networks whose parameters it trains, and how often an iteration runs it.</summary>
/// <param name="Name">Name in artifacts and logs.</param>
/// <param name="Trains">Roles whose parameters get gradients; every one has its own optimizer.</param>
/// <param name="BuildLoss">Writes the loss and returns its scalar.</param>
/// <param name="Updates">Updates an iteration.</param>
public sealed record TrainingPhase(string Name, IReadOnlyList<string> Trains, Func<LossContext, Value> BuildLoss, int Updates = 1)
{
    /// <summary>Samples seen before the phase is run at all: SiDA lets its discriminator learn before the student moves.</summary>
    public long FromImages { get; init; }
}
