using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling.Solvers;
using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling;

/// <summary>A batch on its way from noise to data, and what a solver may ask about it.</summary>
/// <param name="teacher">The denoiser.</param>
/// <param name="session">Its session.</param>
/// <param name="path">Times and frame.</param>
/// <param name="options">Noise and guidance.</param>
/// <param name="seed">Seed of the noise.</param>
/// <param name="firstNumber">Absolute index of the batch's first number, which its noise is drawn by.</param>
/// <param name="labels">Class of each sample.</param>
internal sealed class SampledBatch(Denoiser teacher, GraphSession session, SamplingPath path, SamplerOptions options, long seed, long firstNumber, long[]? labels)
{
    private static readonly StreamId ChurnNoise = StreamId.Named("churn"), StepNoise = StreamId.Named("ddim");

    private int _step;

    /// <summary>Times and frame.</summary>
    public SamplingPath Path => path;

    /// <summary>DDIM's share of fresh noise.</summary>
    public double Eta => options.Eta;

    /// <summary>Walks the whole path.</summary>
    /// <param name="solver">How.</param>
    /// <param name="z">The state at the largest time.</param>
    public float[] Run(ISolver solver, double[] z)
    {
        for (_step = 0; _step + 1 < path.Times.Length; _step++)
        {
            var t = Churn(z, path.Times[_step]);
            z = solver.Step(this, z, t, path.Times[_step + 1]);
        }
        return Array.ConvertAll(z, v => (float)(v * path.Scale));
    }

    /// <summary>The clean samples that the teacher expects behind a state, in the path's unit.</summary>
    public double[] Denoise(double[] z, double t)
    {
        var sigma = path.Sigma(t);
        var x = TensorData.Of(Array.ConvertAll(z, v => (float)(v * (sigma / t))), [z.Length / teacher.Dimension, .. teacher.DataShape]);
        var denoised = Run(x, sigma, labels);
        if (options.Guidance == 1 || labels is null || labels.All(l => l == teacher.Card.NullLabel))
            return Array.ConvertAll(denoised, d => d / path.Scale);
        var without = Run(x, sigma, [.. labels.Select(_ => (long)teacher.Card.NullLabel)]);
        var guided = new double[z.Length];
        for (var i = 0; i < guided.Length; i++)
            guided[i] = (without[i] + (options.Guidance * ((double)denoised[i] - without[i]))) / path.Scale;
        return guided;
    }

    /// <summary>dz/dt = (z - D)/t.</summary>
    public double[] Slope(double[] z, double t)
    {
        var slope = Denoise(z, t);
        for (var i = 0; i < slope.Length; i++)
            slope[i] = (z[i] - slope[i]) / t;
        return slope;
    }

    /// <summary>Standard normal numbers for the solver's own use in this step.</summary>
    public float[] Noise(int count) => Noise(StepNoise, count);

    // Algorithm 2, lines 4 to 6: the level grows by 1 + gamma, and the noise that is missing then is added.
    private double Churn(double[] z, double t)
    {
        var sigma = path.Sigma(t);
        // Pure noise has no level that could grow.
        if (options.Churn == 0 || sigma < options.ChurnMin || sigma > options.ChurnMax || path.Keep(t) == 0)
            return t;
        var growth = path.Round(sigma * (1 + Math.Min(options.Churn / (path.Times.Length - 1), Math.Sqrt(2) - 1))) / sigma;
        if (growth <= 1)
            return t;
        var raised = path.Time(sigma * growth);
        var noise = Noise(ChurnNoise, z.Length);
        var (shrink, added) = (path.Keep(raised) / path.Keep(t), options.ChurnNoise * raised * Math.Sqrt(1 - (1 / (growth * growth))));
        for (var i = 0; i < z.Length; i++)
            z[i] = (shrink * z[i]) + (added * noise[i]);
        return raised;
    }

    private float[] Noise(StreamId stream, int count)
    {
        var noise = new float[count];
        new NoiseStream(seed, stream).FillNormal(noise, _step, firstNumber);
        return noise;
    }

    private float[] Run(TensorData x, double sigma, long[]? classes)
    {
        var count = x.Dims[0];
        var feeds = new Dictionary<string, TensorData>
        {
            [Denoiser.X] = x,
            [Denoiser.Sigma] = TensorData.Of([.. Enumerable.Repeat((float)sigma, (int)count)], count),
        };
        if (classes is not null)
            feeds[Denoiser.Label] = TensorData.Of(classes, count);
        return session.Run(feeds, [Denoiser.Denoised])[Denoiser.Denoised].As<float>().ToArray();
    }
}
