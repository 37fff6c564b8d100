using OnnxDistill.Data.Images;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Data.Pairs;

/// <summary>Batches of pairs by counter, as images have them: every epoch goes through all pairs in an order of its own, and which pairs a part of an update
/// holds depends on seed, update and part only.</summary>
/// <param name="pairs">The pairs.</param>
/// <param name="seed">Seed of the run.</param>
/// <param name="stream">Names the order.</param>
/// <param name="samples">Pairs of a part.</param>
/// <param name="batch">Pairs of an update: all parts together.</param>
public sealed class PairBatches(PairSet pairs, long seed, string stream, int samples, int batch)
{
    private readonly EpochOrder _order = new(seed, StreamId.Named($"{stream}/order"), pairs.Count);

    /// <summary>A part's latents.</summary>
    public void Latents(long update, int part, Span<float> numbers) => Copy(pairs.Latents, update, part, numbers);

    /// <summary>A part's samples.</summary>
    public void Samples(long update, int part, Span<float> numbers) => Copy(pairs.Samples, update, part, numbers);

    /// <summary>A part's classes.</summary>
    public void Labels(long update, int part, Span<long> classes)
    {
        for (var i = 0; i < samples; i++)
            classes[i] = pairs.Labels![Index(update, part, i)]; // only a conditional teacher's are asked for
    }

    private void Copy(SampleSet set, long update, int part, Span<float> numbers)
    {
        for (var i = 0; i < samples; i++)
            set[Index(update, part, i)].CopyTo(numbers[(i * set.SampleSize)..]);
    }

    private int Index(long update, int part, int i) => _order.At((update * batch) + ((long)part * samples) + i);
}
