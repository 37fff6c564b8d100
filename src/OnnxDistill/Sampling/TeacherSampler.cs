using OnnxDistill.Data;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling.Levels;
using OnnxDistill.Sampling.Solvers;
using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling;

/// <summary>
/// Draws samples from a teacher in many steps: any solver on any grid of noise levels, the state in double (Karras et al. 2022, arXiv 2206.00364,
/// algorithms 1 and 2 are the solver "heun" on the grid "karras"). Sample i depends on the seed and i only, whatever noise is added on the way. Owns its session.
/// </summary>
public sealed class TeacherSampler : IDisposable
{
    private readonly Denoiser _teacher;
    private readonly GraphSession _session;
    private readonly int _workers;

    /// <summary>A sampler of that teacher.</summary>
    public TeacherSampler(Denoiser teacher, DeviceOptions? device = null)
    {
        _teacher = teacher;
        (device, _workers) = SharedBatches.SideBySide(device);
        _session = GraphSession.Create(teacher.Model, device, teacher.What);
    }

    /// <summary>The noise levels that a teacher is sampled at, from the largest, then 0; fewer than the steps where it knows fewer.</summary>
    /// <exception cref="ArgumentException">The options mean nothing.</exception>
    public static double[] Levels(TeacherCard card, SamplerOptions options) => Path(card, options).Sigmas;

    /// <summary>Draws samples.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Seed of the latents and of the noise on the way.</param>
    /// <param name="options">Solver, levels, noise, guidance; null for EDM's deterministic sampler in 18 steps.</param>
    /// <param name="label">The class of sample i; null: classes go round, sample i has class i mod the number of classes.</param>
    /// <param name="batch">Samples of a batch, on one thread of a processor; 0 for what suits their size.</param>
    /// <param name="ranks">Processes that share the work and all get all samples; null for this one alone.</param>
    /// <param name="start">Index of the first sample, a multiple of the batch.</param>
    /// <exception cref="ArgumentException">The options mean nothing.</exception>
    /// <exception cref="TeacherMismatchException">Guidance is asked for, and the teacher has no label for "no class", or is guided already.</exception>
    public SampleSet Sample(int count, long seed, SamplerOptions? options = null, Func<int, long>? label = null, int batch = 0, IRankGroup? ranks = null, int start = 0)
    {
        options ??= new SamplerOptions();
        var (card, size) = (_teacher.Card, checked((int)_teacher.Dimension));
        var path = Path(card, options);
        if (options.Guidance != 1 && card.Guidance != 1)
            throw new TeacherMismatchException(FormattableString.Invariant($"{_teacher.What} has guidance {card.Guidance} folded in, found {options.Guidance} on top of it. Leave guidance at 1, or import the teacher without."));
        if (options.Guidance != 1 && card.NullLabel < 0)
            throw new TeacherMismatchException($"{_teacher.What} has no label for \"no class\", which guidance needs. Leave guidance at 1, or import the teacher with --null-label.");
        var solver = SolverCatalog.Find(options.Solver)!; // known, or Path would have refused the options
        var latents = new NoiseStream(seed, StreamId.Latent);
        var labels = card.IsConditional ? Enumerable.Range(start, count).Select(i => label?.Invoke(i) ?? i % card.Labels).ToArray() : null;
        return new SampleSet([.. _teacher.DataShape.Select(d => (int)d)], SharedBatches.Run(ranks, count, batch > 0 ? batch : SharedBatches.Size(size), (offset, now) =>
        {
            var (first, z) = (start + offset, new float[now * size]);
            latents.FillNormal(z, 0, (long)first * size);
            var walk = new SampledBatch(_teacher, _session, path, options, seed, (long)first * size, labels?[offset..(offset + now)]);
            return walk.Run(solver, Array.ConvertAll(z, n => n * path.Times[0]));
        }, _workers))
        { Labels = labels };
    }

    private static SamplingPath Path(TeacherCard card, SamplerOptions options)
    {
        options.Require();
        var grid = options.Levels.Length > 0 ? options.Levels : SolverCatalog.Find(options.Solver)!.UsualLevels;
        var path = LevelCatalog.Find(grid)!.Path(card, options.Steps);
        return card.Levels is { } known ? path.Over(known.Nearest) : path;
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
