using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Sampling;

/// <summary>Work that goes over many samples in batches, which ranks, and the threads of a rank, share out among them. A batch is cut the same way whoever
/// computes it, so that results do not depend on the number of ranks or threads, bit for bit.</summary>
internal static class SharedBatches
{
    /// <summary>Samples of a batch where nobody says otherwise: as many as the results of a layer stay in a core's cache for.</summary>
    /// <param name="numbers">Numbers of one sample.</param>
    public static int Size(long numbers) => numbers <= 64 ? 256 : 16;

    /// <summary>The device of one session, and how many batches it works on side by side, each on one thread: threads that share a batch meet at the end
    /// of every operator, and wait there. Another device than a processor is not shared out.</summary>
    public static (DeviceOptions Device, int Workers) SideBySide(DeviceOptions? device)
    {
        device ??= new DeviceOptions();
        return Runtime.Sessions.Device.Parse(device.Device).Kind == DeviceKind.Cpu ? (device with { Threads = 1 }, device.Threads > 0 ? device.Threads : Environment.ProcessorCount)
            : (device, 1);
    }

    /// <summary>A session's device for such work: with several ranks it has this rank's share of the threads.</summary>
    public static DeviceOptions? Device(IRankGroup? ranks) => ranks is { Count: > 1 } ? new DeviceOptions { Threads = ranks.ThreadShare } : null;

    /// <summary>Computes every sample's numbers; all ranks get all of them.</summary>
    /// <param name="ranks">Who shares the work; null for this process alone.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="batch">Samples of a batch.</param>
    /// <param name="compute">The numbers of the samples (first, count), as many for each sample.</param>
    /// <param name="workers">Batches side by side; <paramref name="compute"/> is then called by several threads at once.</param>
    public static float[] Run(IRankGroup? ranks, int count, int batch, Func<int, int, float[]> compute, int workers = 1)
    {
        var group = ranks ?? SingleRank.Group;
        var batches = (count + batch - 1) / batch;
        int First(int rank) => (int)((long)batches * rank / group.Count);
        int Start(int rank) => (int)Math.Min((long)First(rank) * batch, count);
        var (from, to) = (First(group.Rank), First(group.Rank + 1));
        var parts = new float[to - from][];
        SideBySide(parts.Length, workers, i => parts[i] = compute((from + i) * batch, Math.Min(batch, count - ((from + i) * batch))));
        var mine = new float[parts.Sum(static p => p.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.CopyTo(mine, at);
            at += part.Length;
        }
        if (group.Count == 1)
            return mine;
        // A rank without a batch does not know how many numbers a sample has.
        double[] known = [mine.Length == 0 ? 0 : mine.Length / (Start(group.Rank + 1) - Start(group.Rank)), mine.Length > 0 ? 1 : 0];
        group.Sum(known);
        var perSample = (int)(known[0] / Math.Max(1, known[1]));
        return group.Gather(mine, [.. Enumerable.Range(0, group.Count).Select(r => checked((Start(r + 1) - Start(r)) * perSample))]);
    }

    private static void SideBySide(int count, int workers, Action<int> run)
    {
        if (workers == 1 || count == 1)
        {
            for (var i = 0; i < count; i++)
                run(i);
            return;
        }
        try
        {
            System.Threading.Tasks.Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = workers }, run);
        }
        catch (AggregateException error)
        {
            // What went wrong in a batch, as if it had been computed here.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
        }
    }
}
