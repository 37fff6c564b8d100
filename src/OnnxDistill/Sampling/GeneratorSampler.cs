using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Sampling;

/// <summary>Draws samples from a one-step generator: sample i depends on the seed and i only, not on how many are drawn at once. Owns its session.</summary>
public sealed class GeneratorSampler : IDisposable
{
    private readonly GraphSession _session;
    private readonly Port _latent;
    private readonly bool _conditional;

    /// <summary>A sampler over a generator file's bytes or graph.</summary>
    /// <exception cref="TeacherMismatchException">It has no latent input of the expected form.</exception>
    public GeneratorSampler(OnnxModel model, DeviceOptions? device = null, string what = "the generator")
    {
        Labels = int.TryParse(model.Metadata.GetValueOrDefault("onnxdistill.labels", "0"), out var labels) ? labels : 0;
        _session = GraphSession.Create(model, device, what);
        _latent = _session.Inputs.FirstOrDefault(i => i.Name == Export.GeneratorBuilder.Latent) ?? throw Refuse(model, what);
        _conditional = _session.Inputs.Any(i => i.Name == Teachers.Denoiser.Label);
    }

    /// <summary>Number of classes, 0 for an unconditional generator.</summary>
    public int Labels { get; }

    /// <summary>Extents of one sample.</summary>
    public int[] DataShape => [.. _latent.Shape.Skip(1).Select(d => (int)d.Size)];

    /// <summary>Draws samples first, first + 1, ...; classes go round (sample i has class i mod the number of classes) unless one is given.</summary>
    public SampleSet Sample(int count, long seed, long? label = null, int batch = 256)
    {
        var size = DataShape.Aggregate(1, static (n, d) => n * d);
        var result = new float[checked(count * size)];
        var noise = new NoiseStream(seed, StreamId.Latent);
        for (var first = 0; first < count; first += batch)
        {
            var now = Math.Min(batch, count - first);
            var z = new float[now * size];
            noise.FillNormal(z, 0, (long)first * size);
            var feeds = new Dictionary<string, TensorData>
            {
                [_latent.Name] = TensorData.Of(z, [now, .. DataShape.Select(d => (long)d)]),
            };
            if (_conditional)
                feeds[Teachers.Denoiser.Label] = TensorData.Of([.. Enumerable.Range(first, now).Select(i => label ?? i % Labels)], now);
            _session.Run(feeds).Values.First().As<float>().CopyTo(result.AsSpan(first * size));
        }
        return new SampleSet(DataShape, result);
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private TeacherMismatchException Refuse(OnnxModel model, string what)
    {
        _session.Dispose();
        return new TeacherMismatchException($"{what} is no one-step generator: expected an input '{Export.GeneratorBuilder.Latent}', found "
            + $"{string.Join(", ", model.Graph.Inputs.Select(i => i.Name))}. A raw diffusion network becomes a teacher by 'onnxdistill import'.");
    }
}
