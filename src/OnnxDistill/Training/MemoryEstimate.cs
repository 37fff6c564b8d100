using OnnxDistill.Graph.Memory;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Recomputation;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;

namespace OnnxDistill.Training;

/// <summary>A part of the memory that a run holds.</summary>
/// <param name="What">In words.</param>
/// <param name="Bytes">Its size.</param>
public sealed record MemoryItem(string What, long Bytes);

/// <summary>The most memory that a run is expected to hold, from its graphs alone. Tests hold it to 20 % of what runs take (VmHWM, CPU).</summary>
/// <param name="Items">The parts, none twice.</param>
/// <param name="Recomputation">What a budget for intermediate results did to the phases' graphs, by phase.</param>
public sealed record MemoryEstimate(IReadOnlyList<MemoryItem> Items, IReadOnlyDictionary<string, RecomputeReport> Recomputation)
{
    // Measured on runs of a small MLP (ring8): .NET with the command's libraries, ONNX Runtime's native library, SkiaSharp after a picture.
    private const long Baseline = 115_000_000;

    // Measured between graphs of 100 and of 6,000 nodes: our objects, and the session's kernels with their names.
    private const long BytesPerNode = 10_000;

    // A U-Net of 10,000 nodes in all: the optimised graph is written and read once more.
    private const long BytesPerOrderedNode = 8_000;

    /// <summary>The sum.</summary>
    public long Total => Items.Sum(static i => i.Bytes);

    /// <summary>The estimate for a program.</summary>
    public static MemoryEstimate Of(TrainingProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var graphs = program.PartGraphs();
        var sums = program.Parts.AddsUp ? Math.Min(program.Parts.Rounds, 2) : 0;
        var (step, snapshot) = (StepActivations(program), SnapshotActivations(program));
        // One run of a generator finds room in what the step has left; the many runs by which a fit draws do not (measured on digits: 94 MB beside 461).
        var held = program.IsFit ? step + snapshot : Math.Max(step, snapshot);
        var nodes = graphs.Sum(static g => (long)g.Model.Graph.Nodes.Count);
        var ordered = graphs.Where(static g => g.Recomputation is not null).Sum(static g => (long)g.Model.Graph.Nodes.Count);
        var constants = graphs.Select(static g => g.Model.Graph.Initializers.Sum(static i => Bytes(i))).ToList();
        return new MemoryEstimate(
        [
            new("weights, moments, averages (each twice)", program.Networks.Sum(static n => 2 * Vectors(n) * n.Layout.Length * sizeof(float))),
            new("gradients", program.Networks.Sum(n => (program.Parts.Lanes + sums) * n.Layout.Length * sizeof(float))),
            new("initial weights", program.Networks.Select(static n => n.Network).Distinct().Sum(static n => n.ParameterCount * sizeof(float))),
            // Once as we hold them, once in each session (prepacked there), once more on the way into the largest.
            new("frozen networks and other constants", constants.Max() + (program.Parts.Lanes * constants.Sum()) + constants.Max()),
            new("random inputs", program.Parts.Lanes * graphs.Sum(static g => g.Feeds.Sum(static f => f.Dims.Aggregate((long)sizeof(float), static (n, d) => n * d)))),
            new("images, and two batches of each lane read ahead", Images(program)),
            new("teacher pairs", program.Pairs?.Bytes ?? 0),
            new("intermediate results of a step", held),
            new("the arena's table", ArenaBytes(held) / 32),
            new("graphs and sessions", (nodes * program.Parts.Lanes * BytesPerNode) + (ordered * BytesPerOrderedNode)),
            new(".NET, ONNX Runtime and libraries", Baseline),
        ], graphs.Where(static g => g.Recomputation is not null).ToDictionary(static g => g.Phase.Name, static g => g.Recomputation!));
    }

    private static long Images(TrainingProgram program) => program.Images is not { } images ? 0
        : images.HeldBytes + (2 * program.Parts.Lanes * program.Parts.Samples * program.Task.Dimension * sizeof(float));

    /// <summary>Intermediate results of the largest phase; phases run in turn, lanes side by side.</summary>
    internal static long StepActivations(TrainingProgram program) => program.Parts.Lanes
        * program.PartGraphs().Max(static g => ActivationMemory.Peak(g.Model.Graph, g.Recomputation is not null));

    /// <summary>What the arena of a step is made for: a fifth more than expected, because one too small costs more than one too large.</summary>
    internal static long ArenaBytes(long activations) => activations + (activations / 5);

    private static long Vectors(TrainedNetwork network) => OptimizerGraph.State(network.Optimizer, network.HasEma).Count();

    // Snapshots draw samples with the exported model, pairs come from the teacher.
    private static long SnapshotActivations(TrainingProgram program)
    {
        var evaluation = program.Recipe.Recipe.Evaluation;
        var (_, workers) = SharedBatches.SideBySide(new DeviceOptions { Device = program.Recipe.Recipe.Training.Device });
        var count = Math.Min(workers * SharedBatches.Size(program.Task.Dimension), Math.Max(program.Pairs?.Count ?? 0, Math.Max(evaluation.Samples, evaluation.PictureSamples)));
        return (long)((double)ActivationMemory.Peak(program.Student.AtBatch(program.Task.Batch).Model.Graph) / program.Task.Batch * count);
    }

    private static long Bytes(Value value) => value.Constant is { } data ? data.Type.Size() * data.ElementCount : 0;
}
