using OnnxDistill.Graph.Memory;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Recomputation;

/// <summary>The part of a training graph that the loss needs, and what the rest reads of it.</summary>
internal sealed class ForwardPass
{
    // Below this share of all that is held, a value is not worth a second run.
    private const double Negligible = 1e-3;

    private readonly Dictionary<Node, int> _index = [];
    private readonly List<Node> _nodes = [];
    private readonly long[] _crossing;
    private readonly Dictionary<Value, (int Made, int LastUse)> _spans = [];
    private readonly double[] _heldBefore;
    private readonly long _smallest;

    public ForwardPass(OnnxGraph graph, Value loss)
    {
        Graph = graph;
        var needed = new HashSet<Value> { loss };
        for (var i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            if (!graph.Nodes[i].Outputs.Any(o => o is not null && needed.Contains(o)))
                continue;
            _nodes.Add(graph.Nodes[i]);
            needed.UnionWith(graph.Nodes[i].Inputs.OfType<Value>());
        }
        _nodes.Reverse();
        foreach (var (i, node) in _nodes.Index())
            _index[node] = i;
        foreach (var (i, node) in _nodes.Index())
        {
            foreach (var owner in node.Inputs.OfType<Value>().Select(Storage.Owner))
            {
                if (owner.Producer is { } producer)
                    _spans[owner] = (_index[producer], i);
            }
        }
        _crossing = new long[_nodes.Count + 1];
        foreach (var (owner, (made, lastUse)) in _spans)
        {
            for (var at = made + 1; at <= lastUse; at++)
                _crossing[at] += Storage.Bytes(owner);
        }
        var held = graph.Nodes.Where(n => !IsForward(n)).SelectMany(static n => n.Inputs).OfType<Value>().Select(Storage.Owner)
            .Where(v => v.Producer is { } producer && IsForward(producer)).ToHashSet();
        Held = held.Sum(Storage.Bytes);
        _smallest = (long)(Held * Negligible);
        _heldBefore = new double[_nodes.Count + 1];
        foreach (var (i, node) in _nodes.Index())
            _heldBefore[i + 1] = _heldBefore[i] + node.Outputs.OfType<Value>().Where(held.Contains).Sum(Storage.Bytes);
    }

    public OnnxGraph Graph { get; }

    /// <summary>Bytes of the forward results that the backward pass reads.</summary>
    public long Held { get; }

    public bool IsForward(Node node) => _index.ContainsKey(node);

    public int IndexOf(Node node) => _index[node];

    /// <summary>Whether a second run gives the same numbers.</summary>
    public bool CanRepeat(Node node) => IsForward(node) && !CommonSubexpressions.DrawsNumbers(node);

    public bool IsSmall(Value value) => Storage.Bytes(value) <= _smallest;

    /// <summary>The places between nodes that cut the forward pass into so many parts of about the same bytes held, each moved to where the fewest bytes cross.</summary>
    public int[] Cuts(int parts)
    {
        var cuts = new SortedSet<int>();
        for (var part = 1; part < parts; part++)
        {
            var (from, to) = (Place((part - 0.35) / parts), Place((part + 0.35) / parts));
            cuts.Add(Enumerable.Range(from, to - from + 1).MinBy(at => _crossing[at]));
        }
        return [.. cuts];
    }

    /// <summary>The values whose bytes pass over one of the cuts.</summary>
    public HashSet<Value> Crossing(int[] cuts) =>
        [.. _spans.Where(s => Array.Exists(cuts, at => s.Value.Made < at && at <= s.Value.LastUse)).Select(static s => s.Key)];

    private int Place(double share)
    {
        var found = Array.BinarySearch(_heldBefore, share * _heldBefore[^1]);
        return Math.Clamp(found < 0 ? ~found : found, 1, _nodes.Count - 1);
    }
}
