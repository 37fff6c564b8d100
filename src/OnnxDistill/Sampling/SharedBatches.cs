using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Sampling;

/// <summary>Work that goes over many samples in batches, which ranks share out among them. A batch is cut the same way whoever computes it, so
/// that results do not depend on the number of ranks, bit for bit.</summary>
internal static class SharedBatches
{
    /// <summary>A session's device for such work: with several ranks it has this rank's share of the threads.</summary>
    public static DeviceOptions? Device(IRankGroup? ranks) => ranks is { Count: > 1 } ? new DeviceOptions { Threads = ranks.ThreadShare } : null;

    /// <summary>Computes every sample's numbers; all ranks get all of them.</summary>
    /// <param name="ranks">Who shares the work; null for this process alone.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="batch">Samples of a batch.</param>
    /// <param name="compute">The numbers of the samples (first, count), as many for each sample.</param>
    public static float[] Run(IRankGroup? ranks, int count, int batch, Func<int, int, float[]> compute)
    {
        var group = ranks ?? SingleRank.Group;
        var batches = (count + batch - 1) / batch;
        int Start(int rank) => (int)Math.Min((long)batches * rank / group.Count * batch, count);
        var (from, to) = (Start(group.Rank), Start(group.Rank + 1));
        float[] mine = [];
        var perSample = 0;
        for (var first = from; first < to; first += batch)
        {
            var now = Math.Min(batch, to - first);
            var numbers = compute(first, now);
            if (first == from)
                mine = new float[checked((to - from) * (perSample = numbers.Length / now))];
            numbers.CopyTo(mine, (first - from) * perSample);
        }
        if (group.Count == 1)
            return mine;
        // A rank without a batch does not know how many numbers a sample has.
        double[] known = [perSample, perSample > 0 ? 1 : 0];
        group.Sum(known);
        perSample = (int)(known[0] / Math.Max(1, known[1]));
        return group.Gather(mine, [.. Enumerable.Range(0, group.Count).Select(r => checked((Start(r + 1) - Start(r)) * perSample))]);
    }
}
