using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Memory;

/// <summary>One node of a walk.</summary>
/// <param name="Node">The node, or the one that it repeats.</param>
/// <param name="Repeated">Whether it is run a second time.</param>
internal readonly record struct WalkStep(Node Node, bool Repeated = false);

/// <summary>
/// Runs a graph in thought: when each value's bytes are taken and given back, in an arena that gives the smallest gap that fits, as ONNX
/// Runtime's does. Inputs, constants and outputs lie in memory of their own and are not counted.
/// </summary>
internal sealed class MemoryWalk
{
    // ONNX Runtime's arena rounds every request up to this.
    private const long Granularity = 256;

    private readonly IReadOnlyList<WalkStep> _steps;
    private readonly Func<WalkStep, Value, (Value Value, bool Repeated)> _source;
    private readonly HashSet<Value> _outputs;
    private readonly Dictionary<(Value, bool), int> _lastUse = [];

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
        var arena = new ArenaModel();
        var places = new Dictionary<(Value, bool), (long Offset, long Size)>();
        for (var i = 0; i < _steps.Count; i++)
        {
            var step = _steps[i];
            if (Storage.IsView(step.Node))
                continue;
            foreach (var output in step.Node.Outputs.OfType<Value>().Where(o => step.Repeated || !_outputs.Contains(o)))
            {
                var size = (Storage.Bytes(output) + Granularity - 1) / Granularity * Granularity;
                if (size > 0 && !TakeOver(step, i, output, size, places))
                    places[(output, step.Repeated)] = (arena.Take(size), size);
            }
            foreach (var key in step.Node.Inputs.OfType<Value>().Select(v => Owner(step, v))
                .Concat(step.Node.Outputs.OfType<Value>().Select(o => (o, step.Repeated))).Distinct())
            {
                if ((!_lastUse.TryGetValue(key, out var last) || last <= i) && places.Remove(key, out var place))
                    arena.Give(place.Offset, place.Size);
            }
        }
        return (arena.MostInUse, arena.Reach);
    }

    private bool TakeOver(WalkStep step, int at, Value output, long size, Dictionary<(Value, bool), (long Offset, long Size)> places)
    {
        foreach (var input in Storage.Overwritable(step.Node))
        {
            var key = Owner(step, input);
            if (_lastUse[key] == at && places.TryGetValue(key, out var place) && place.Size == size)
            {
                places.Remove(key);
                places[(output, step.Repeated)] = place;
                return true;
            }
        }
        return false;
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
