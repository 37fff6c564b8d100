using System.ComponentModel.DataAnnotations;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Teachers;

namespace OnnxDistill.Students;

/// <summary>Options of <see cref="Particles"/>.</summary>
public sealed record ParticlesOptions
{
    /// <summary>Number of particles, of each class where there are classes.</summary>
    [Range(1, 1 << 20)]
    public int Count { get; init; } = 16;

    /// <summary>Standard deviation of their initial numbers, in units of sigma_data.</summary>
    [Range(0, 1e6)]
    public double Deviation { get; init; } = 1;

    /// <summary>Seed of their initial numbers.</summary>
    public long Seed { get; init; }
}

/// <summary>
/// Samples that are parameters themselves: what SDS and VSD optimise where a 3-D scene is not at hand (DreamFusion, arXiv 2209.14988; particles: ProlificDreamer,
/// arXiv 2305.16213). A table of K rows, K of each class; the latent is one normal number z, which chooses row floor(K Phi(z)), so that all rows are equally
/// likely and sampling, evaluation and export are those of any generator.
/// </summary>
public static class Particles
{
    /// <summary>Name of the table.</summary>
    public const string Table = "particles";

    /// <summary>Emits the generator.</summary>
    internal static Value Build(ParticlesOptions options, GraphBuilder b, Value? label, TeacherCard card, long[] dataShape)
    {
        var z = b.Input(Generator.Latent, ElementType.Float32, Shape.Of(Dim.Named(FreeBatch.Symbol), 1));
        long[] dims = [(long)options.Count * Math.Max(1, card.Labels), .. dataShape];
        var numbers = new float[dims.Aggregate(1L, static (n, d) => checked(n * d))];
        new NoiseStream(options.Seed, StreamId.Named(Table)).FillNormal(numbers, 0);
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] *= (float)(options.Deviation * card.SigmaData);
        var phi = b.Mul(b.Add(b.Erf(b.Mul(b.Squeeze(z, 1), Math.Sqrt(0.5))), 1), 0.5);
        // A cast cuts the fraction off; Phi(z) of a large z is 1.
        var row = b.Cast(b.Clip(b.Mul(phi, options.Count), 0, options.Count - 1), ElementType.Int64);
        if (label is not null)
            row = b.Add(b.Mul(label, b.Longs(options.Count)), row);
        return b.Gather(b.Initializer(Table, TensorData.Of(numbers, dims)), row, 0);
    }
}
