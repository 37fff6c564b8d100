using System.Runtime.InteropServices;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Tests.Runtime.Parallel;

/// <summary>Ranks as threads of this process: what training asks of a group, without MPI.</summary>
internal sealed class ThreadRanks : IRankGroup
{
    private readonly Shared _shared;

    private ThreadRanks(Shared shared, int rank) => (_shared, Rank) = (shared, rank);

    public int Rank { get; }

    public int Count => _shared.Slots.Length;

    public int ThreadShare => 1;

    /// <summary>Runs a job on every rank and returns their results in order; throws the first rank's error.</summary>
    public static T[] Run<T>(int count, Func<IRankGroup, T> job)
    {
        using var shared = new Shared(count);
        var tasks = Enumerable.Range(0, count).Select(r => Task.Factory.StartNew(() => job(new ThreadRanks(shared, r)), TaskCreationOptions.LongRunning)).ToArray();
        return [.. tasks.Select(t => t.GetAwaiter().GetResult())];
    }

    public void Sum(TensorBuffer numbers)
    {
        var all = Exchange(numbers.Span<float>().ToArray());
        for (var i = 0; i < numbers.Count; i++)
            numbers.Span<float>()[i] = all.Sum(a => a[i]);
    }

    public void Sum(Span<double> numbers)
    {
        var all = Exchange(numbers.ToArray());
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = all.Sum(a => a[i]);
    }

    public void Broadcast(Span<byte> bytes) => Exchange(bytes.ToArray())[0].CopyTo(bytes);

    public void Broadcast(TensorBuffer buffer) => Broadcast(MemoryMarshal.AsBytes(buffer.Span<float>()));

    public float[] Gather(ReadOnlySpan<float> part, IReadOnlyList<int> counts)
    {
        Assert.AreEqual(counts[Rank], part.Length);
        return [.. Exchange(part.ToArray()).SelectMany(p => p)];
    }

    public void Barrier() => Exchange(0);

    public void Abort(int exitCode) => Assert.Fail($"rank {Rank} ended the job with {exitCode}");

    public void Leave() => Barrier();

    private T[] Exchange<T>(T mine)
    {
        _shared.Slots[Rank] = mine!;
        Assert.IsTrue(_shared.Meeting.SignalAndWait(TimeSpan.FromMinutes(1)), "a rank did not come");
        T[] all = [.. _shared.Slots.Cast<T>()];
        _shared.Meeting.SignalAndWait();
        return all;
    }

    private sealed class Shared(int count) : IDisposable
    {
        public object[] Slots { get; } = new object[count];

        public Barrier Meeting { get; } = new(count);

        public void Dispose() => Meeting.Dispose();
    }
}
