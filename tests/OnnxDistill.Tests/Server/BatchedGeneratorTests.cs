using OnnxDistill.Runtime.Generation;
using OnnxDistill.Server;

namespace OnnxDistill.Tests.Server;

/// <summary>The queue before a generator, with a generator that draws when the test lets it.</summary>
[TestClass]
public sealed class BatchedGeneratorTests
{
    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task WhatWaitsIsDrawnTogether()
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions { Queue = 10, Batch = 4 });
        var first = images.TryDraw(new GeneratorRequest(100))!;
        slow.AwaitBegun();
        Task<byte[]>[] others = [.. Enumerable.Range(0, 6).Select(i => images.TryDraw(new GeneratorRequest(i))!)];
        Assert.AreEqual(6, images.Statistics.Waiting);
        slow.Release(3);
        CollectionAssert.AreEqual(new byte[] { 100, 101 }, await first);
        for (var i = 0; i < others.Length; i++)
            CollectionAssert.AreEqual(new[] { (byte)i, (byte)(i + 1) }, await others[i]);
        CollectionAssert.AreEqual(new[] { 1, 4, 2 }, slow.Batches.ToArray());
        var statistics = images.Statistics;
        Assert.AreEqual((0, 7L, 7L), (statistics.Waiting, statistics.Accepted, statistics.Drawn));
        CollectionAssert.AreEqual(new long[] { 1, 1, 0, 1 }, statistics.BatchSizes);
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AFullQueueTurnsAwayAndTakesAgainWhenThereIsRoom()
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions { Queue = 2, Batch = 1 });
        var first = images.TryDraw(default)!;
        slow.AwaitBegun();
        var (second, third) = (images.TryDraw(default)!, images.TryDraw(default)!);
        Assert.IsNull(images.TryDraw(default));
        Assert.IsNull(images.TryDraw(default));
        Assert.AreEqual((2, 2L), (images.Statistics.Waiting, images.Statistics.Rejected));
        slow.Release(1);
        await first;
        slow.AwaitBegun();
        var fourth = images.TryDraw(default);
        Assert.IsNotNull(fourth);
        slow.Release(3);
        await Task.WhenAll(second, third, fourth);
        Assert.AreEqual(4, images.Statistics.Drawn);
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task ACancelledRequestGivesItsPlaceBackAndIsNotDrawn()
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions { Queue = 3, Batch = 8 });
        var first = images.TryDraw(new GeneratorRequest(1))!;
        slow.AwaitBegun();
        using var leaving = new CancellationTokenSource();
        var second = images.TryDraw(new GeneratorRequest(2))!;
        var gone = images.TryDraw(new GeneratorRequest(3), leaving.Token)!;
        var third = images.TryDraw(new GeneratorRequest(4))!;
        Assert.IsNull(images.TryDraw(new GeneratorRequest(5)));
        leaving.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(() => gone);
        Assert.AreEqual((2, 1L), (images.Statistics.Waiting, images.Statistics.Cancelled));
        var fourth = images.TryDraw(new GeneratorRequest(6));
        Assert.IsNotNull(fourth);
        Assert.IsNull(images.TryDraw(new GeneratorRequest(7)), "one place came back, not two");
        slow.Release(2);
        await Task.WhenAll(first, second, third, fourth);
        CollectionAssert.AreEqual(new long[] { 1, 2, 4, 6 }, slow.Seeds.ToArray(), "in the order of their coming");
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task ARequestThatIsCancelledWhileItIsDrawnEndsAtOnce()
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions());
        using var leaving = new CancellationTokenSource();
        var gone = images.TryDraw(default, leaving.Token)!;
        slow.AwaitBegun();
        leaving.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(() => gone);
        var next = images.TryDraw(new GeneratorRequest(5))!;
        slow.Release(2);
        Assert.AreEqual(5, (await next)[0]);
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AWindowWaitsForAFullBatch()
    {
        using var slow = new SlowGenerator();
        slow.Release(100);
        await using var images = slow.Queue(new BatchOptions { Batch = 3, Window = TimeSpan.FromMinutes(10) });
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => images.TryDraw(new GeneratorRequest(i))!));
        CollectionAssert.AreEqual(new[] { 3, 3 }, slow.Batches.ToArray());
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AWindowEnds()
    {
        using var slow = new SlowGenerator();
        slow.Release(1);
        await using var images = slow.Queue(new BatchOptions { Batch = 3, Window = TimeSpan.FromMilliseconds(5) });
        await images.TryDraw(default)!;
        CollectionAssert.AreEqual(new[] { 1 }, slow.Batches.ToArray());
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task StoppingDrawsWhatWaitsAndTakesNothingMore()
    {
        using var slow = new SlowGenerator();
        var images = slow.Queue(new BatchOptions { Batch = 2 });
        var first = images.TryDraw(default)!;
        slow.AwaitBegun();
        Task<byte[]>[] waiting = [.. Enumerable.Range(0, 3).Select(i => images.TryDraw(new GeneratorRequest(i))!)];
        var stopped = images.DisposeAsync().AsTask();
        Assert.ThrowsExactly<ObjectDisposedException>(() => images.TryDraw(default));
        Assert.IsFalse(stopped.IsCompleted);
        slow.Release(3);
        await stopped;
        await Task.WhenAll(waiting.Append(first));
        Assert.AreEqual(4, images.Statistics.Drawn);
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AFailureReachesThoseWhoWaitForItAndNobodyElse()
    {
        var fail = true;
        await using var images = new BatchedGenerator((_, _) =>
        {
            if (fail)
                throw new InvalidDataException("broken");
        }, 1, new BatchOptions());
        await Assert.ThrowsExactlyAsync<InvalidDataException>(() => images.TryDraw(default)!);
        fail = false;
        await images.TryDraw(default)!;
        Assert.AreEqual((1L, 1L), (images.Statistics.Failed, images.Statistics.Drawn));
    }

    /// <summary>Clients come from many threads, try again when they are turned away, and every third leaves: every request ends, and the counts add up.</summary>
    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task NoRequestIsLostWhenManyComeAndLeave()
    {
        const int threads = 8, each = 1000, staying = threads * (each - ((each + 2) / 3));
        var images = new BatchedGenerator(static (requests, pixels) =>
        {
            for (var i = 0; i < requests.Length; i++)
                pixels[i] = (byte)requests[i].Seed;
        }, 1, new BatchOptions { Queue = 4, Batch = 3, Workers = 2 });
        long drawn = 0, rejected = 0, left = 0;
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                using var leaving = new CancellationTokenSource();
                var seed = (thread * 31) + i;
                Task<byte[]>? image;
                while ((image = images.TryDraw(new GeneratorRequest(seed), leaving.Token)) is null)
                {
                    Interlocked.Increment(ref rejected);
                    await Task.Yield();
                }
                if (i % 3 == 0)
                    leaving.Cancel();
                try
                {
                    Assert.AreEqual((byte)seed, (await image)[0]);
                    Interlocked.Increment(ref drawn);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref left);
                }
            }
        })));
        await images.DisposeAsync();
        Assert.AreEqual(threads * each, drawn + left);
        Assert.IsGreaterThanOrEqualTo(staying, drawn, "who stays gets an image");
        var statistics = images.Statistics;
        Assert.AreEqual((0, threads * each, rejected), (statistics.Waiting, statistics.Accepted, statistics.Rejected));
        Assert.AreEqual(statistics.Accepted, statistics.Drawn + statistics.Cancelled, "who leaves the queue is not drawn, everybody else is");
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public void SizesBelowOneAreRefused()
    {
        foreach (var options in new BatchOptions[] { new() { Queue = 0 }, new() { Batch = 0 }, new() { Workers = 0 }, new() { Window = TimeSpan.FromTicks(-1) } })
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new BatchedGenerator((_, _) => { }, 1, options));
    }
}
