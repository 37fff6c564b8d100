using OnnxDistill.Data.Images;
using OnnxDistill.Data.Pairs;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>
/// One phase on all lanes: parts of the batch that run side by side, each in a session with its share of the threads. Threads of one session
/// meet at the end of every operator, lanes once a run; and a lane's activations fit the cache of its own core. Owns its runners.
/// </summary>
internal sealed class LanedPhase : IDisposable
{
    private readonly List<PhaseRunner> _lanes = [];

    public LanedPhase(TrainingGraph graph, BatchParts parts, IReadOnlyDictionary<string, NetworkState> states, long seed, DeviceOptions device,
        Func<string, ImageBatches>? images = null, Func<string, PairBatches>? pairs = null)
    {
        try
        {
            for (var lane = 0; lane < parts.Lanes; lane++)
            {
                // One profile a phase is enough: lanes do the same.
                _lanes.Add(new PhaseRunner(graph, states, seed, lane == 0 ? device : device with { ProfilePrefix = null }, parts, lane, images, pairs));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public TrainingGraph Graph => _lanes[0].Graph;

    /// <summary>What the next update finds of what is carried: only phases of one lane carry anything.</summary>
    public IEnumerable<(string Name, TensorBuffer Buffer)> CarriedVectors => _lanes[0].CarriedVectors;

    /// <summary>Threads of one lane's session when there are that many in all; 0 means one a core.</summary>
    public static int ThreadsPerLane(int threads, int lanes) => lanes == 1 ? threads : Math.Max(1, (threads > 0 ? threads : Environment.ProcessorCount) / lanes);

    /// <summary>Runs a round of update number <paramref name="update"/> on every lane and returns the mean loss of its parts.</summary>
    public float Run(long update, long imagesSeen = 0, int round = 0, double lossScale = 1)
    {
        if (_lanes.Count == 1)
            return _lanes[0].Run(update, imagesSeen, round, lossScale);
        var others = _lanes.Skip(1).Select(lane => Task.Run(() => lane.Run(update, imagesSeen, round, lossScale))).ToArray();
        var sum = 0f;
        try
        {
            sum = _lanes[0].Run(update, imagesSeen, round, lossScale);
        }
        finally
        {
            // Also when this lane failed: nobody may dispose of buffers that another lane is still using.
            Task.WaitAll(others);
        }
        return (sum + others.Sum(lane => lane.Result)) / _lanes.Count;
    }

    public void Dispose() => _lanes.ForEach(lane => lane.Dispose());
}
