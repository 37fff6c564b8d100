using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;

namespace OnnxDistill.Methods;

/// <summary>What is given to a method: sizes and scales of the task.</summary>
/// <param name="Batch">Samples a step.</param>
/// <param name="DataShape">Extents of one sample.</param>
/// <param name="SigmaData">Standard deviation of the data; published noise levels are in units of 0.5 (design.md decision 9).</param>
/// <param name="SigmaInit">Noise level at which the student network turns noise into a sample, already scaled.</param>
/// <param name="Labels">Number of classes, 0 for none.</param>
public sealed record DistillationTask(int Batch, IReadOnlyList<long> DataShape, double SigmaData, double SigmaInit, int Labels)
{
    /// <summary>Whether the recipe names real images.</summary>
    public bool HasImages { get; init; }

    /// <summary>The mixture whose samples stand for real ones; null for real images, or none.</summary>
    public GaussianMixture? Mixture { get; init; }

    /// <summary>The label that means "no class", -1 when there is none.</summary>
    public int NullLabel { get; init; } = -1;

    /// <summary>The only noise levels that the teacher knows; null when every level is one.</summary>
    public NoiseLevels? Levels { get; init; }

    /// <summary>Extents of one latent of the student: of a sample, unless the student is a network of its own.</summary>
    public IReadOnlyList<long> LatentShape { get; init; } = DataShape;

    /// <summary>Scale of the teacher's classifier-free guidance, 1 for none: D_none + s (D_class - D_none), see <see cref="LossContext.Teacher(Value, Value, Value, string)"/>.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>What the method taps, by role, in the order of its <see cref="IDistillationMethod.Taps"/>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Feature>> Features { get; init; } = new Dictionary<string, IReadOnlyList<Feature>>();

    /// <summary>Share of each class among the recipe's images; null when labels are drawn uniformly.</summary>
    public IReadOnlyList<double>? LabelShares { get; init; }

    /// <summary>Factor from the papers' noise levels (sigma_data 0.5) to this teacher's.</summary>
    public double NoiseScale => SigmaData / 0.5;

    /// <summary>Numbers of one sample.</summary>
    public long Dimension => DataShape.Aggregate(1L, static (n, d) => n * d);

    /// <summary>Shape of a batch of samples.</summary>
    public Shape BatchShape => Shape.Of([Batch, .. DataShape]);
}
