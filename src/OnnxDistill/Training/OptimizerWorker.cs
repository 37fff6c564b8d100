using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>A stretch of a flat vector that the optimizer's graph runs on at once.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Offset">First element.</param>
/// <param name="Count">Number of elements.</param>
internal readonly record struct OptimizerBlock(int Index, long Offset, long Count)
{
    /// <summary>Elements that the graph's dozen of passes find in a core's second-level cache. Measured on 484,000 weights, two threads, 1 MB a core
    /// (smallest times of an update): the whole vector 1.03 ms, blocks of 16384 0.64, 32768 0.55, 65536 0.56, 131072 0.62.</summary>
    private const long Preferred = 32768;

    private const int MostBlocks = 256;

    /// <summary>
    /// Equal blocks, but for a shorter last one. They depend on nothing but the length, so that sums over them are the same on every machine;
    /// they are many enough to stay in cache and few enough that bindings (two a block) cost nothing.
    /// </summary>
    public static IReadOnlyList<OptimizerBlock> Split(long length)
    {
        const long line = FlatLayout.Granularity;
        var wanted = Math.Clamp((length + Preferred - 1) / Preferred, 1, MostBlocks);
        wanted += wanted > 1 ? wanted % 2 : 0; // two threads get as much each
        var size = Math.Max(line, (((length + wanted - 1) / wanted) + line - 1) / line * line);
        var blocks = new List<OptimizerBlock>();
        for (long at = 0; at < length; at += size)
            blocks.Add(new OptimizerBlock(blocks.Count, at, Math.Min(size, length - at)));
        return blocks;
    }
}

/// <summary>Runs the optimizer's graph on some blocks, one after the other on the thread that calls. Owns its sessions.</summary>
internal sealed class OptimizerWorker : IDisposable
{
    private readonly GraphSession _update;
    private readonly GraphSession? _norm;
    private readonly List<SessionBinding>[] _updates = [[], []];
    private readonly List<SessionBinding> _norms = [];
    private readonly GraphSession?[] _sum = new GraphSession?[2];
    private readonly List<SessionBinding>[] _sums = [[], [], []];

    /// <summary>Sessions and bindings, made once.</summary>
    /// <param name="state">The vectors.</param>
    /// <param name="blocks">The blocks that are this worker's.</param>
    /// <param name="scalars">The scalars, by input; all workers read the same.</param>
    /// <param name="measures">An element a block, by output: the blocks' norms and counts.</param>
    /// <param name="device">Where and how.</param>
    public OptimizerWorker(NetworkState state, IEnumerable<OptimizerBlock> blocks, IReadOnlyDictionary<string, StagedBuffer> scalars,
        IReadOnlyDictionary<string, StagedBuffer> measures, DeviceOptions device)
    {
        var network = state.Description;
        var (options, inputs, parts) = (network.Optimizer, state.Totals.Count, state.Parts);
        try
        {
            _update = GraphSession.Create(OptimizerGraph.BuildBlock(options, network.HasEma, inputs, parts.Count, network.IsScaled), device, $"the optimizer of {network.Role}");
            if (options.ClipNorm > 0)
                _norm = GraphSession.Create(OptimizerGraph.BuildBlockNorm(options, inputs, parts.Count, network.IsScaled), device, $"the gradient's norm of {network.Role}");
            for (var later = 0; parts.AddsUp && later < Math.Min(parts.Rounds, 2); later++)
                _sum[later] = GraphSession.Create(OptimizerGraph.BuildBlockSum(parts.Lanes, first: later == 0), device, $"the gradient's sum of {network.Role}");
            foreach (var block in blocks)
                Bind(state, block, scalars, measures);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The norms of the blocks' gradients, where clipping has to know them before <see cref="Update"/>.</summary>
    public void Measure() => _norms.ForEach(b => b.Run());

    /// <summary>Reads the vectors of that parity and writes the others.</summary>
    public void Update(int parity) => _updates[parity].ForEach(b => b.Run());

    /// <summary>Adds a round's gradients to those of the rounds before.</summary>
    public void Sum(int round) => _sums[round == 0 ? 0 : 1 + (round % 2)].ForEach(b => b.Run());

    private void Bind(NetworkState state, OptimizerBlock block, IReadOnlyDictionary<string, StagedBuffer> scalars, IReadOnlyDictionary<string, StagedBuffer> measures)
    {
        KeyValuePair<string, TensorView> Part(string name, TensorBuffer vector) => KeyValuePair.Create(name, vector.View(block.Offset, [block.Count]));
        var gradients = state.Totals.Select((g, lane) => Part(OptimizerGraph.LaneGradient(lane), g)).ToArray();
        var given = scalars.Select(s => KeyValuePair.Create(s.Key, s.Value.OnDevice.View(0, []))).ToArray();
        var measured = measures.Select(n => KeyValuePair.Create(n.Key, n.Value.OnDevice.View(block.Index, []))).ToArray();
        if (_norm is not null)
            _norms.Add(_norm.Bind(gradients.Concat(given.Where(s => s.Key == OptimizerGraph.GradientScale)), measured));
        for (var parity = 0; parity < 2; parity++)
        {
            var inputs = state.Vectors.Select(v => Part(v, state.At(v, parity))).Concat(gradients).Concat(given);
            var outputs = state.Vectors.Select(v => Part(OptimizerGraph.Next(v), state.At(v, 1 - parity))).Concat(_norm is null ? measured : []);
            _updates[parity].Add(_update.Bind(inputs, outputs));
        }
        BindSums(state, Part);
    }

    private void BindSums(NetworkState state, Func<string, TensorBuffer, KeyValuePair<string, TensorView>> part)
    {
        var lanes = state.Gradients.Select((g, lane) => part(OptimizerGraph.LaneGradient(lane), g)).ToArray();
        KeyValuePair<string, TensorView> Target(int i) => part(OptimizerGraph.Next(OptimizerGraph.Sum), state.Sums[i]);
        if (_sum[0] is { } first)
            _sums[0].Add(first.Bind(lanes, [Target(0)]));
        for (var i = 0; _sum[1] is { } later && i < 2; i++)
            _sums[1 + i].Add(later.Bind([.. lanes, part(OptimizerGraph.Sum, state.Sums[1 - i])], [Target(i)]));
    }

    public void Dispose()
    {
        foreach (var binding in _updates.Append(_norms).Concat(_sums).SelectMany(b => b))
            binding.Dispose();
        _update?.Dispose();
        _norm?.Dispose();
        foreach (var sum in _sum)
            sum?.Dispose();
    }
}
