using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Runtime.Generation;

/// <summary>Where the latents and classes of samples come from.</summary>
internal interface ILatentSource
{
    /// <summary>Fills in those of the samples from <paramref name="first"/> on.</summary>
    /// <param name="first">Number of the first sample.</param>
    /// <param name="latents">Their latents.</param>
    /// <param name="labels">Their classes; empty where the generator has none.</param>
    void Fill(int first, Span<float> latents, Span<long> labels);
}

/// <summary>Sample i is a function of the seed and i: the latents of <c>onnxdistill sample --seed</c>.</summary>
/// <param name="seed">The seed.</param>
/// <param name="label">The class; null for classes that go round.</param>
/// <param name="numbers">Numbers of a latent.</param>
/// <param name="classes">Number of classes.</param>
internal readonly struct SeededLatents(long seed, long? label, int numbers, int classes) : ILatentSource
{
    /// <inheritdoc/>
    public void Fill(int first, Span<float> latents, Span<long> labels)
    {
        new NoiseStream(seed, StreamId.Latent).FillNormal(latents, 0, (long)first * numbers);
        for (var i = 0; i < labels.Length; i++)
            labels[i] = label ?? (first + i) % classes;
    }
}

/// <summary>Each sample is the first of its own seed.</summary>
/// <param name="requests">A request for each sample.</param>
/// <param name="numbers">Numbers of a latent.</param>
internal readonly ref struct RequestedLatents(ReadOnlySpan<GeneratorRequest> requests, int numbers) : ILatentSource
{
    private readonly ReadOnlySpan<GeneratorRequest> _requests = requests;

    /// <inheritdoc/>
    public void Fill(int first, Span<float> latents, Span<long> labels)
    {
        for (var i = 0; i * numbers < latents.Length; i++)
        {
            var request = _requests[first + i];
            new NoiseStream(request.Seed, StreamId.Latent).FillNormal(latents.Slice(i * numbers, numbers), 0);
            if (labels.Length > 0)
                labels[i] = request.Label ?? 0;
        }
    }
}

/// <summary>Latents and classes of the caller.</summary>
/// <param name="latents">The latents of all samples.</param>
/// <param name="labels">Their classes; empty for classes that go round.</param>
/// <param name="numbers">Numbers of a latent.</param>
/// <param name="classes">Number of classes.</param>
internal readonly ref struct GivenLatents(ReadOnlySpan<float> latents, ReadOnlySpan<long> labels, int numbers, int classes) : ILatentSource
{
    private readonly ReadOnlySpan<float> _latents = latents;
    private readonly ReadOnlySpan<long> _labels = labels;

    /// <inheritdoc/>
    public void Fill(int first, Span<float> latents, Span<long> labels)
    {
        _latents.Slice(first * numbers, latents.Length).CopyTo(latents);
        for (var i = 0; i < labels.Length; i++)
            labels[i] = _labels.Length > 0 ? _labels[first + i] : (first + i) % classes;
    }
}
