using OnnxDistill.Data;

namespace OnnxDistill.Bench;

/// <summary>One of OnnxDistill's samplers, which it owns.</summary>
internal sealed class OnnxDistillSampling<T>(T sampler, Func<T, long, SampleSet> draw) : ISamplingSide
    where T : IDisposable
{
    private long _seed;

    public void Step() => draw(sampler, _seed++);

    public float[] Sample(long seed) => draw(sampler, seed).Data;

    public void Dispose() => sampler.Dispose();
}
