using System.Collections.Concurrent;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Server;

namespace OnnxDistill.Tests.Server;

/// <summary>Draws a batch when the test releases it; an image is two bytes, the seed and the seed + 1.</summary>
internal sealed class SlowGenerator : IDisposable
{
    private readonly SemaphoreSlim _begun = new(0), _released = new(0);

    /// <summary>Sizes of the batches so far.</summary>
    public ConcurrentQueue<int> Batches { get; } = new();

    /// <summary>Seeds drawn so far.</summary>
    public ConcurrentQueue<long> Seeds { get; } = new();

    public BatchedGenerator Queue(BatchOptions options) => new(Draw, 2, options);

    /// <summary>Waits until one more batch has begun.</summary>
    public void AwaitBegun() => Assert.IsTrue(_begun.Wait(TimeSpan.FromSeconds(30)), "no batch began");

    public void Release(int batches) => _released.Release(batches);

    public void Draw(ReadOnlySpan<GeneratorRequest> requests, Span<byte> pixels)
    {
        Batches.Enqueue(requests.Length);
        for (var i = 0; i < requests.Length; i++)
        {
            Seeds.Enqueue(requests[i].Seed);
            pixels[2 * i] = (byte)requests[i].Seed;
            pixels[(2 * i) + 1] = (byte)(requests[i].Seed + 1);
        }
        _begun.Release();
        Assert.IsTrue(_released.Wait(TimeSpan.FromSeconds(30)), "the test released no batch");
    }

    public void Dispose()
    {
        _begun.Dispose();
        _released.Dispose();
    }
}
