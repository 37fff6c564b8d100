using OnnxDistill.Data.Images;
using OnnxDistill.Data.Pairs;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>What one iteration did.</summary>
/// <param name="Losses">Mean loss of each phase's updates, by phase.</param>
/// <param name="GradientNorms">Norm of the last gradient before clipping, by role.</param>
/// <param name="Skipped">Updates left out because their loss or gradient was not finite.</param>
public readonly record struct IterationResult(IReadOnlyDictionary<string, double> Losses, IReadOnlyDictionary<string, double> GradientNorms, int Skipped)
{
    /// <summary>Updates left out because the loss's scale under fp16 was too large; it has been lowered, and no divergence is meant.</summary>
    public int Overflows { get; init; }

    /// <summary>Updates whose loss was not finite.</summary>
    public int NonFiniteLosses { get; init; }

    /// <summary>Numbers of gradients that were not finite and have been replaced (training.optimizer.nonFinite "zero").</summary>
    public long Replaced { get; init; }

    /// <summary>Whether the iteration trained nothing in one of its phases: what counts towards divergence.</summary>
    public bool IsBad => Skipped > 0 || NonFiniteLosses > 0;
}

/// <summary>Sessions and state of a training program: makes iterations, knows nothing of files. Owns sessions and buffers.</summary>
public sealed class TrainingEngine : IDisposable
{
    private readonly SortedDictionary<string, NetworkState> _states = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OptimizerRunner> _optimizers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, LossScale> _lossScales = new(StringComparer.Ordinal);
    private readonly List<LanedPhase> _phases = [];
    private readonly DeviceMemory? _memory;
    private readonly SharedArena? _arena;

    private readonly IRankGroup _ranks;

    /// <summary>Creates every session; the state is the initial one.</summary>
    /// <param name="program">What to train.</param>
    /// <param name="profilePrefix">Where profiles go, or null for none.</param>
    /// <param name="ranks">The processes that the program was built for.</param>
    public TrainingEngine(TrainingProgram program, string? profilePrefix = null, IRankGroup? ranks = null) : this(program, profilePrefix, ranks, onDevice: null)
    {
    }

    /// <summary>With the state in a device's memory or the host's; by itself in the device's unless that is the CPU.</summary>
    internal TrainingEngine(TrainingProgram program, string? profilePrefix, IRankGroup? ranks, bool? onDevice)
    {
        (Program, _ranks) = (program, ranks ?? SingleRank.Group);
        var (training, parts) = (program.Recipe.Recipe.Training, program.Parts);
        var device = DeviceOf(training, _ranks);
        _arena = SharedArena.Open(MemoryEstimate.ArenaBytes(MemoryEstimate.StepActivations(program)));
        try
        {
            _memory = onDevice ?? Device.Parse(device.Device).Kind != DeviceKind.Cpu ? new DeviceMemory(device) : null;
            foreach (var network in program.Networks)
            {
                _states[network.Role] = new NetworkState(network, parts, _memory);
                _optimizers[network.Role] = new OptimizerRunner(_states[network.Role], device);
            }
            var lane = device with { Threads = LanedPhase.ThreadsPerLane(device.Threads, parts.Lanes) };
            foreach (var graph in program.PartGraphs())
            {
                var profiled = profilePrefix is null ? lane : lane with { ProfilePrefix = $"{profilePrefix}-{graph.Phase.Name}" };
                _phases.Add(new LanedPhase(graph, parts, _states, training.Seed, profiled, Images, Pairs));
                if (graph.IsScaled)
                    _lossScales[graph.Phase.Name] = new LossScale(training.LossScale);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The program.</summary>
    public TrainingProgram Program { get; }

    // Each lane reads its own parts, ahead of its step.
    private ImageBatches Images(string stream) => new(Program.Images!, Program.Recipe.Recipe.Training.Seed, stream, Program.Parts.Samples, Program.Task.Batch,
        Program.Recipe.Recipe.Data.Flip);

    private PairBatches Pairs(string stream) => new(Program.Pairs!.Set, Program.Recipe.Recipe.Training.Seed, stream, Program.Parts.Samples, Program.Task.Batch);

    /// <summary>The networks' numbers by role.</summary>
    public IReadOnlyDictionary<string, NetworkState> States => _states;

    /// <summary>What phases keep from update to update beside weights: phase, name, the current numbers.</summary>
    public IEnumerable<(string Phase, string Name, TensorBuffer Buffer)> Carried => _phases.SelectMany(p => p.CarriedVectors.Select(c => (p.Graph.Phase.Name, c.Name, c.Buffer)));

    /// <summary>The factors on the phases' losses, by phase; empty under fp32.</summary>
    public IReadOnlyDictionary<string, LossScale> LossScales => _lossScales;

    /// <summary>Iterations made so far; every random number is a function of it.</summary>
    public long Iteration { get; set; }

    /// <summary>Factor on every learning rate, below 1 after a rollback.</summary>
    public double LearningRateFactor { get; set; } = 1;

    /// <summary>Samples that the student's step has seen.</summary>
    public long ImagesSeen => Iteration * Program.Task.Batch;

    /// <summary>
    /// Where and how sessions run. No memory pattern: the first run, which finds the pattern, leaves its memory with the arena, and the second takes
    /// the whole again in one block. Measured on a transformer's SiD steps (batch 64): 6.4 GB with it, 3.3 GB without, the same time a step.
    /// </summary>
    internal static DeviceOptions DeviceOf(Recipes.TrainingOptions training, IRankGroup? ranks = null) => new()
    {
        Device = training.Device,
        // Alone, ONNX Runtime counts the cores itself.
        Threads = training.Threads > 0 || ranks is null or { Count: 1 } ? training.Threads : ranks.ThreadShare,
        MemoryPattern = false,
        Tf32 = training.Cuda.Tf32,
        ConvolutionSearch = training.Cuda.ConvolutionSearch,
        CudaGraph = training.Cuda.Graph && Device.Parse(training.Device).Kind == DeviceKind.Cuda,
        DeviceMemoryLimit = training.Cuda.MemoryLimit,
        // What is computed a second time must neither be merged with the first nor run before it is needed.
        KeepOrder = training.ActivationBudgetMb > 0,
        KeepDuplicates = training.ActivationBudgetMb > 0,
    };

    /// <summary>One iteration: every phase with its optimizers, in order.</summary>
    public IterationResult Step()
    {
        var training = Program.Recipe.Recipe.Training;
        if (Program.Pairs is { IsReady: false } pairs && !pairs.Load(null, _ranks))
            pairs.Make(null, new SilentObserver(), CancellationToken.None, _ranks);
        var losses = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var norms = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var updates = new UpdateTally();
        var emaBeta = Schedules.EmaBeta(training.Ema, ImagesSeen, training.Batch);
        foreach (var runner in _phases)
        {
            var phase = runner.Graph.Phase;
            if (ImagesSeen < phase.FromImages)
                continue;
            var scale = _lossScales.GetValueOrDefault(phase.Name);
            for (var update = 0; update < phase.Updates; update++)
            {
                var loss = Gradients(runner, (Iteration * phase.Updates) + update, scale?.Value ?? 1);
                var results = new List<UpdateResult>();
                losses[phase.Name] = losses.GetValueOrDefault(phase.Name) + (loss / phase.Updates);
                updates.Loss(loss);
                foreach (var role in phase.Trains)
                {
                    var optimizer = _states[role].Description.Optimizer;
                    var rate = LearningRateFactor * Schedules.LearningRate(optimizer, ImagesSeen, training.Images);
                    _optimizers[role].LossScale = scale?.Value ?? 1;
                    var result = _optimizers[role].Update(rate, emaBeta, UpdateTally.Wants(loss, optimizer));
                    norms[role] = result.Norm;
                    results.Add(result);
                }
                updates.Updates(loss, scale, results);
            }
        }
        Iteration++;
        return updates.Result(losses, norms);
    }

    // The gradients of one update, summed over rounds and ranks, and the batch's loss.
    private double Gradients(LanedPhase runner, long update, double lossScale)
    {
        var loss = 0.0;
        for (var round = 0; round < Program.Parts.Rounds; round++)
        {
            loss += runner.Run(update, ImagesSeen, round, lossScale) / Program.Parts.Rounds;
            foreach (var role in runner.Graph.Phase.Trains)
                _optimizers[role].Sum(round);
        }
        if (_ranks.Count == 1)
            return loss;
        foreach (var role in runner.Graph.Phase.Trains)
            SumOverRanks(_states[role].Totals[0]);
        double[] mean = [loss / _ranks.Count];
        _ranks.Sum(mean);
        return mean[0];
    }

    // Ranks exchange through the host.
    private void SumOverRanks(TensorBuffer total)
    {
        if (total.Memory is null)
        {
            _ranks.Sum(total);
            return;
        }
        using var host = new TensorBuffer(total.Type, total.Count);
        host.CopyFrom(total);
        _ranks.Sum(host);
        total.CopyFrom(host);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var phase in _phases)
            phase.Dispose();
        foreach (var optimizer in _optimizers.Values)
            optimizer.Dispose();
        foreach (var state in _states.Values)
            state.Dispose();
        Program.Images?.Dispose();
        _memory?.Dispose();
        _arena?.Dispose();
    }
}
