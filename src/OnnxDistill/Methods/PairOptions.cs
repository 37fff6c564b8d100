using System.ComponentModel.DataAnnotations;

namespace OnnxDistill.Methods;

/// <summary>Pairs of noise and the sample that the teacher's deterministic sampler (Heun, Karras et al. 2022, arXiv 2206.00364, algorithm 1) makes of it. They are a
/// function of these options and the teacher: pair i is sample i of <c>onnxdistill sample TEACHER --steps STEPS --seed SEED</c>, whose classes go round.</summary>
public sealed record PairOptions
{
    /// <summary>How many; a file that somebody else has made brings its own number.</summary>
    [Range(1, int.MaxValue)]
    public int Count { get; init; } = 10_000;

    /// <summary>Steps of the sampler; each but the last evaluates the teacher twice.</summary>
    [Range(1, 100_000)]
    public int Steps { get; init; } = 18;

    /// <summary>Seed of the noise; another than samples are measured with (runs measure with 0), or the student is measured on what it has learnt by heart.</summary>
    public long Seed { get; init; } = 2311;

    /// <summary>Scale of the teacher's guidance while they are drawn; null for the recipe's.</summary>
    [Range(0, 1000)]
    public double? Guidance { get; init; }

    /// <summary>An .npz file, relative to the recipe, that they are read from, or written to when it is not there; empty for pairs.npz in the run's folder. Files
    /// of other tools need the arrays z and y [count, ...] (float32), and label [count] (int64) for a conditional teacher.</summary>
    public string File { get; init; } = "";
}
