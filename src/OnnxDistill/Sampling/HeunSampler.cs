using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling;

/// <summary>
/// EDM's deterministic sampler, Heun's method on Karras' grid with the state in double (Karras et al. 2022, arXiv 2206.00364, algorithm 1;
/// no churn). Sample i depends on the seed and i only. Owns its session.
/// </summary>
public sealed class HeunSampler : IDisposable
{
    private const double Rho = 7;

    private readonly Denoiser _teacher;
    private readonly GraphSession _session;
    private readonly int _workers;

    /// <summary>A sampler of that teacher.</summary>
    public HeunSampler(Denoiser teacher, DeviceOptions? device = null)
    {
        _teacher = teacher;
        (device, _workers) = SharedBatches.SideBySide(device);
        _session = GraphSession.Create(teacher.Model, device, teacher.What);
    }

    /// <summary>Karras' grid from the largest level to the smallest, then 0.</summary>
    public static double[] Levels(double sigmaMin, double sigmaMax, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        var (low, high) = (Math.Pow(sigmaMin, 1 / Rho), Math.Pow(sigmaMax, 1 / Rho));
        return [.. Enumerable.Range(0, steps).Select(i => Math.Pow(high + (i / Math.Max(1.0, steps - 1) * (low - high)), Rho)), 0];
    }

    /// <summary>Draws samples; classes go round (sample i has class i mod the number of classes) unless one is given.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Seed of the latents.</param>
    /// <param name="steps">Steps of the sampler.</param>
    /// <param name="label">The class of all of them.</param>
    /// <param name="batch">Samples of a batch, on one thread of a processor; 0 for what suits their size.</param>
    /// <param name="ranks">Processes that share the work and all get all samples; null for this one alone.</param>
    public SampleSet Sample(int count, long seed, int steps, long? label = null, int batch = 0, IRankGroup? ranks = null)
    {
        var size = checked((int)_teacher.Dimension);
        var levels = Levels(_teacher.Card.SigmaMin, _teacher.Card.SigmaMax, steps);
        var noise = new NoiseStream(seed, StreamId.Latent);
        return new SampleSet([.. _teacher.DataShape.Select(d => (int)d)], SharedBatches.Run(ranks, count, batch > 0 ? batch : SharedBatches.Size(size), (first, now) =>
        {
            var z = new float[now * size];
            noise.FillNormal(z, 0, (long)first * size);
            var labels = _teacher.Card.IsConditional
                ? Enumerable.Range(first, now).Select(i => label ?? i % _teacher.Card.Labels).ToArray() : null;
            return Array.ConvertAll(Integrate(Array.ConvertAll(z, n => n * levels[0]), levels, now, labels), x => (float)x);
        }, _workers));
    }

    private double[] Integrate(double[] x, double[] levels, int count, long[]? labels)
    {
        for (var i = 0; i + 1 < levels.Length; i++)
        {
            var step = levels[i + 1] - levels[i];
            var slope = Slope(x, levels[i], count, labels);
            var next = Move(x, slope, step);
            // The last level is 0, where the slope is not defined: Euler alone.
            if (levels[i + 1] > 0)
                next = Move(x, [.. slope.Zip(Slope(next, levels[i + 1], count, labels), (a, b) => (a + b) / 2)], step);
            x = next;
        }
        return x;
    }

    // d = (x - D(x; sigma)) / sigma
    private double[] Slope(double[] x, double sigma, int count, long[]? labels)
    {
        var feeds = new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(Array.ConvertAll(x, v => (float)v), [count, .. _teacher.DataShape]),
            [Denoiser.Sigma] = TensorData.Of([.. Enumerable.Repeat((float)sigma, count)], count),
        };
        if (labels is not null)
            feeds[Denoiser.Label] = TensorData.Of(labels, count);
        var denoised = _session.Run(feeds, [Denoiser.Denoised])[Denoiser.Denoised].As<float>();
        var slope = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
            slope[i] = (x[i] - denoised[i]) / sigma;
        return slope;
    }

    private static double[] Move(double[] x, double[] slope, double step)
    {
        var moved = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
            moved[i] = x[i] + (step * slope[i]);
        return moved;
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
