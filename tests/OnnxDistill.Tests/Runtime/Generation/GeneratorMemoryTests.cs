using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Tests.Runtime.Generation;

/// <summary>What a call allocates and what is left behind. Alone, because the counts are the process's.</summary>
[TestClass]
[DoNotParallelize]
public sealed class GeneratorMemoryTests
{
    // Before this many calls .NET may still be compiling; it allocates on its own threads, but the first calls make the buffers.
    private const int WarmUp = 40, Calls = 50;

    [TestMethod]
    public void ACallIntoASpanAllocatesNothing()
    {
        using var generator = GeneratorFiles.Load(GeneratorFiles.Images(3, 2, asBytes: false));
        using var bytes = GeneratorFiles.Load(GeneratorFiles.Images(3, 2, asBytes: true));
        var (pixels, numbers, latents) = (new byte[20 * 18], new float[20 * 18], new float[20 * 18]);
        GeneratorRequest[] requests = [.. Enumerable.Range(0, 20).Select(i => new GeneratorRequest(i, i % 2))];
        Assert.AreEqual(0L, AllocatedBy(i =>
        {
            generator.Sample(pixels, i);
            generator.Sample(numbers, i, 1);
            generator.Sample(requests, pixels);
            generator.Sample(requests, numbers);
            generator.Generate(latents, [], pixels);
            generator.Generate(latents, [], numbers);
            bytes.Sample(pixels, i);
            bytes.Sample(numbers, i);
        }));
    }

    /// <summary>An array of 18 bytes a call, with its header.</summary>
    [TestMethod]
    public void ACallThatReturnsImagesAllocatesTheirBytesOnly()
    {
        using var generator = GeneratorFiles.Load(GeneratorFiles.Images(3, 2, asBytes: false));
        var kept = new byte[Calls][];
        var array = AllocatedBy(i => kept[i % Calls] = new byte[18]);
        Assert.IsGreaterThan(18L * Calls, array);
        Assert.AreEqual(array, AllocatedBy(i => kept[i % Calls] = generator.Sample(1, i, 1).Pixels));
    }

    [TestMethod]
    public void NothingIsLeftWhenItIsDisposedOf()
    {
        var before = Counts();
        using (var generator = GeneratorFiles.Load(GeneratorFiles.Images(1, 2, asBytes: false)))
        {
            System.Threading.Tasks.Parallel.For(0, 20, i => generator.Sample((i % 3) + 1));
            generator.Sample(40);
        }
        Assert.ThrowsExactly<Graph.ModelFileException>(() => GeneratorFiles.Load(SmallGraphs.Affine()));
        Assert.AreEqual(before, Counts());
    }

    [TestMethod]
    public void ACallThatRunsWhileItIsDisposedOfEndsWell()
    {
        var before = Counts();
        var generator = GeneratorFiles.Load(GeneratorFiles.Images(1, 2, asBytes: false));
        using var begun = new CountdownEvent(3);
        var threads = Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(() =>
        {
            generator.Sample(2);
            begun.Signal();
            while (true)
                generator.Sample(2);
        }, TaskCreationOptions.LongRunning)).ToArray();
        begun.Wait();
        generator.Dispose();
        generator.Dispose();
        foreach (var thread in threads)
            Assert.ThrowsExactly<ObjectDisposedException>(() => thread.GetAwaiter().GetResult());
        Assert.ThrowsExactly<ObjectDisposedException>(() => generator.Sample(1));
        Assert.AreEqual(before, Counts());
    }

    private static long AllocatedBy(Action<int> call)
    {
        for (var i = 0; i < WarmUp; i++)
            call(i);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++)
            call(i);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static (long Buffers, long Sessions, long Bindings) Counts() => (TensorBuffer.LiveCount, GraphSession.LiveCount, SessionBinding.LiveCount);
}
