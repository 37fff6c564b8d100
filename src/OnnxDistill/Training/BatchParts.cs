using System.Globalization;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>
/// How a step's batch is cut: ranks (processes) x rounds (one after the other) x lanes (side by side), each part a run of <see cref="Samples"/>.
/// Part p holds the samples from p * <see cref="Samples"/> on, so that any cut draws the numbers of the whole batch; sums come in another order.
/// </summary>
/// <param name="Batch">Samples of a step.</param>
/// <param name="Lanes">Parts side by side in a process.</param>
/// <param name="Rounds">Parts one after the other in a lane.</param>
/// <param name="Ranks">Processes.</param>
/// <param name="Rank">Which of them this is.</param>
public readonly record struct BatchParts(int Batch, int Lanes = 1, int Rounds = 1, int Ranks = 1, int Rank = 0)
{
    /// <summary>Parts in all.</summary>
    public int Count => Lanes * Rounds * Ranks;

    /// <summary>Samples of a part.</summary>
    public int Samples => Batch / Count;

    /// <summary>Whether a process has to add up gradients before the optimizer sees them: over rounds, or over lanes before ranks exchange them.</summary>
    public bool AddsUp => Rounds > 1 || (Ranks > 1 && Lanes > 1);

    /// <summary>Number of the part that a lane of this rank works on in a round.</summary>
    public int Index(int round, int lane) => (((Rank * Rounds) + round) * Lanes) + lane;

    /// <summary>Most parameters of a network whose batch is cut into lanes unasked.</summary>
    public const long MostParametersForLanes = 16_000_000;

    private const int FewestSamplesOfALane = 8, MostLanes = 8;

    /// <summary>The cut that a recipe asks for.</summary>
    /// <param name="training">The recipe's settings.</param>
    /// <param name="method">Its method.</param>
    /// <param name="parameters">Parameters of the largest network.</param>
    /// <param name="ranks">Processes that share the batch.</param>
    /// <param name="rank">Which of them this is.</param>
    /// <param name="threads">Threads of this process, where the recipe leaves them open.</param>
    /// <exception cref="RecipeException">The batch cannot be cut like that, or the method's losses couple the samples of a batch.</exception>
    public static BatchParts Of(TrainingOptions training, IDistillationMethod method, long parameters, int ranks = 1, int rank = 0, int threads = 0)
    {
        var (batch, micro) = (training.Batch, training.MicroBatch);
        var lanes = training.Lanes > 0 ? training.Lanes : method.CouplesBatch || parameters > MostParametersForLanes ? 1 : Automatic(training, ranks, threads);
        var share = batch / Math.Max(1, lanes * ranks);
        var even = share > 0 && batch % (lanes * ranks) == 0 && (micro == 0 || share % micro == 0);
        var rounds = micro == 0 || !even ? 1 : share / micro;
        if (lanes * rounds * ranks == 1 && even)
            return new BatchParts(batch);
        var found = string.Create(CultureInfo.InvariantCulture, $"training.batch: found {batch} in {ranks} rank(s), training.lanes {lanes} and training.microBatch {micro} ")
            + $"with the method '{method.Name}'";
        if (method.CouplesBatch)
        {
            // The gradient of a function of the batch's mean is no mean of the parts' gradients (design.md section 6).
            throw new RecipeException($"{found}, expected the whole batch in one run, because this method's losses look at the batch as a whole. "
                + "Leave mpirun, lanes and microBatch out, or take a smaller batch.");
        }
        return even ? new BatchParts(batch, lanes, rounds, ranks, rank)
            : throw new RecipeException($"{found}, expected a batch of microBatch x rounds x lanes x ranks: {Nearest(batch, Math.Max(1, micro) * lanes * ranks)} would do.");
    }

    // One a thread, or the most that cut the rank's share evenly.
    private static int Automatic(TrainingOptions training, int ranks, int threads)
    {
        if (Device.Parse(training.Device).Kind != DeviceKind.Cpu || training.Batch % ranks != 0)
            return 1;
        var available = training.Threads > 0 ? training.Threads : threads > 0 ? threads : Environment.ProcessorCount;
        var share = training.Batch / ranks;
        bool Fits(int lanes) => available % lanes == 0 && share % lanes == 0 && share / lanes >= FewestSamplesOfALane
            && (training.MicroBatch == 0 || share / lanes % training.MicroBatch == 0);
        return Enumerable.Range(1, Math.Min(available, MostLanes)).LastOrDefault(Fits, 1);
    }

    private static string Nearest(int batch, long unit)
    {
        var below = batch / unit * unit;
        return below == 0 ? FormattableString.Invariant($"{unit}") : FormattableString.Invariant($"{below} or {below + unit}");
    }
}
