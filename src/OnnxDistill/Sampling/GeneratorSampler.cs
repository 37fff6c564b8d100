using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;

namespace OnnxDistill.Sampling;

/// <summary>Draws samples from a one-step generator: sample i depends on the seed and i only, not on how many are drawn at once. Images of bytes come as floats in
/// [-1, 1] like any. Owns its session.</summary>
public sealed class GeneratorSampler : IDisposable
{
    private readonly GraphSession _session;
    private readonly Port _latent, _sample;
    private readonly bool _conditional;
    private readonly int _workers;

    /// <summary>A sampler over a generator file's bytes or graph.</summary>
    /// <exception cref="TeacherMismatchException">It has no latent input of the expected form.</exception>
    public GeneratorSampler(OnnxModel model, DeviceOptions? device = null, string what = "the generator")
    {
        Labels = int.TryParse(model.Metadata.GetValueOrDefault(GeneratorMetadata.Labels, "0"), out var labels) ? labels : 0;
        (device, _workers) = SharedBatches.SideBySide(device);
        _session = GraphSession.Create(model, device, what);
        _latent = _session.Inputs.FirstOrDefault(i => i.Name == Export.GeneratorBuilder.Latent) ?? throw Refuse(model, what);
        _sample = _session.Outputs[0];
        if (!IsFixed(_latent) || !IsFixed(_sample) || (_sample.Type == ElementType.UInt8 && _sample.Shape.Rank != 4))
            throw Refuse(model, what);
        _conditional = _session.Inputs.Any(i => i.Name == Teachers.Denoiser.Label);
    }

    /// <summary>Number of classes, 0 for an unconditional generator.</summary>
    public int Labels { get; }

    /// <summary>Extents of one sample.</summary>
    public int[] DataShape
    {
        get
        {
            int[] dims = [.. _sample.Shape.Skip(1).Select(static d => (int)d.Size)];
            return _sample.Type == ElementType.UInt8 ? [dims[2], dims[0], dims[1]] : dims;
        }
    }

    /// <summary>Draws samples 0, 1, ...</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Seed of the latents.</param>
    /// <param name="label">The class of sample i; null: classes go round, sample i has class i mod the number of classes.</param>
    /// <param name="batch">Samples of a batch, on one thread of a processor; 0 for what suits their size.</param>
    /// <param name="ranks">Processes that share the work and all get all samples; null for this one alone.</param>
    public SampleSet Sample(int count, long seed, Func<int, long>? label = null, int batch = 0, IRankGroup? ranks = null)
    {
        var size = DataShape.Aggregate(1, static (n, d) => n * d);
        long[] latent = [.. _latent.Shape.Skip(1).Select(static d => d.Size)];
        var numbers = (int)latent.Aggregate(1L, static (n, d) => n * d);
        var noise = new NoiseStream(seed, StreamId.Latent);
        var labels = _conditional ? Enumerable.Range(0, count).Select(i => label?.Invoke(i) ?? i % Labels).ToArray() : null;
        return new SampleSet(DataShape, SharedBatches.Run(ranks, count, batch > 0 ? batch : SharedBatches.Size(size), (first, now) =>
        {
            var z = new float[now * numbers];
            noise.FillNormal(z, 0, (long)first * numbers);
            var feeds = new Dictionary<string, TensorData>
            {
                [_latent.Name] = TensorData.Of(z, [now, .. latent]),
            };
            if (labels is not null)
                feeds[Teachers.Denoiser.Label] = TensorData.Of(labels.AsSpan(first, now), now);
            return GeneratorPixels.Floats(_session.Run(feeds).Values.First());
        }, _workers))
        { Labels = labels };
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private static bool IsFixed(Port port) => port.Shape.Rank > 1 && port.Shape.Skip(1).All(static d => d.IsKnown);

    private TeacherMismatchException Refuse(OnnxModel model, string what)
    {
        _session.Dispose();
        return new TeacherMismatchException($"{what} is no one-step generator: expected an input '{Export.GeneratorBuilder.Latent}' and samples whose extents are numbers, found "
            + $"{string.Join("; ", model.Graph.Inputs)} and {string.Join("; ", model.Graph.Outputs)}. A raw diffusion network becomes a teacher by 'onnxdistill import'.");
    }
}
