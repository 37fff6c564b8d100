using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Memory;

/// <summary>One node of a walk.</summary>
/// <param name="Node">The node, or the one that it repeats.</param>
/// <param name="Repeated">Whether it is run a second time.</param>
internal readonly record struct WalkStep(Node Node, bool Repeated = false);

/// <summary>
/// Runs a graph in thought: when each value's bytes are taken and given back, in an arena that gives the smallest gap that fits, as ONNX
/// Runtime's does (its sequential planner and its arena, 1.31). Inputs, constants and outputs lie in memory of their own and are not counted.
/// </summary>
internal sealed class MemoryWalk
{
    // ONNX Runtime's arena rounds every request up to this.
    private const long Granularity = 256;

    private readonly IReadOnlyList<WalkStep> _steps;
    private readonly Func<WalkStep, Value, (Value Value, bool Repeated)> _source;
    private readonly HashSet<Value> _outputs;
    private readonly Dictionary<(Value, bool), int> _lastUse = [];
    private readonly Dictionary<(Value, bool), Buffer> _places = [];
    private readonly Dictionary<(ElementType, string), Stack<Buffer>> _free = [];
    private readonly List<Buffer> _buffers = [];

    private MemoryWalk(OnnxGraph graph, IReadOnlyList<WalkStep> steps, Func<WalkStep, Value, (Value Value, bool Repeated)> source)
    {
        (_steps, _source) = (steps, source);
        _outputs = [.. graph.Outputs.Select(Storage.Owner)];
        for (var i = 0; i < steps.Count; i++)
        {
            foreach (var input in steps[i].Node.Inputs.OfType<Value>())
                _lastUse[Owner(steps[i], input)] = i;
        }
    }

    /// <summary>The most bytes alive at once, and the furthest that they reach in the arena.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="steps">Nodes in the order in which they run.</param>
    /// <param name="source">Whether a step reads an input as the first run or the repetition made it.</param>
    public static (long Live, long Reach) Peak(OnnxGraph graph, IReadOnlyList<WalkStep> steps, Func<WalkStep, Value, (Value Value, bool Repeated)> source) =>
        new MemoryWalk(graph, steps, source).Run();

    private (long Live, long Reach) Run()
    {
        for (var i = 0; i < _steps.Count; i++)
        {
            if (!Storage.IsView(_steps[i].Node))
                Plan(_steps[i], i);
        }
        var ends = _buffers.Where(static b => b.Size > 0).ToLookup(static b => b.End);
        var starts = _buffers.Where(static b => b.Size > 0).ToLookup(static b => b.Start);
        var arena = new ArenaModel();
        for (var i = 0; i < _steps.Count; i++)
        {
            foreach (var buffer in starts[i])
                buffer.Offset = arena.Take(buffer.Size);
            foreach (var buffer in ends[i])
                arena.Give(buffer.Offset, buffer.Size);
        }
        return (arena.MostInUse, arena.Reach);
    }

    // What a node writes goes over an operand that nobody needs any more, or into a buffer of the very shape that has become free, or into a new one.
    // The choice is made before anything runs, so a buffer that is used again later is not given back in between.
    private void Plan(WalkStep step, int at)
    {
        foreach (var output in step.Node.Outputs.OfType<Value>().Where(o => step.Repeated || !_outputs.Contains(o)))
        {
            var shape = (output.Type, output.KnownShape?.ToString() ?? "");
            var buffer = TakeOver(step, at, shape);
            if (buffer is null && !(_free.TryGetValue(shape, out var free) && free.TryPop(out buffer)))
            {
                buffer = new Buffer(shape, (Storage.Bytes(output) + Granularity - 1) / Granularity * Granularity, at);
                _buffers.Add(buffer);
            }
            buffer.End = at;
            _places[(output, step.Repeated)] = buffer;
        }
        foreach (var key in step.Node.Inputs.OfType<Value>().Select(v => Owner(step, v)).Concat(step.Node.Outputs.OfType<Value>().Select(o => (o, step.Repeated))).Distinct())
        {
            if ((_lastUse.TryGetValue(key, out var last) && last > at) || !_places.Remove(key, out var place))
                continue;
            place.End = at;
            if (!_free.TryGetValue(place.Shape, out var free))
                _free[place.Shape] = free = [];
            free.Push(place);
        }
    }

    private Buffer? TakeOver(WalkStep step, int at, (ElementType, string) shape)
    {
        foreach (var key in Storage.Overwritable(step.Node).Select(v => Owner(step, v)))
        {
            if (_lastUse[key] == at && _places.TryGetValue(key, out var place) && place.Shape == shape)
            {
                _places.Remove(key);
                return place;
            }
        }
        return null;
    }

    private sealed class Buffer((ElementType, string) shape, long size, int start)
    {
        public (ElementType, string) Shape => shape;
        public long Size => size;
        public int Start => start;
        public int End { get; set; }
        public long Offset { get; set; }
    }

    // Views of a repeated value belong to the repetition, so the way to the owner asks at every view.
    private (Value, bool) Owner(WalkStep step, Value value)
    {
        var (found, repeated) = _source(step, value);
        while (found.Producer is { } producer && Storage.IsView(producer))
            (found, repeated) = _source(new WalkStep(producer, repeated), producer.Input(0));
        return (found, repeated);
    }
}
