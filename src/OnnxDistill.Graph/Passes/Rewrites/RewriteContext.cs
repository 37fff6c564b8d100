using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>What rewrites see of the graph around a node.</summary>
public sealed class RewriteContext
{
    private readonly OnnxGraph _graph;
    private readonly Dictionary<Value, int> _uses = [];
    private readonly Dictionary<Value, int> _outputs = [];
    private readonly HashSet<Node> _old;

    internal RewriteContext(OnnxGraph graph)
    {
        _graph = graph;
        _old = [.. graph.Nodes];
        Builder = new GraphBuilder(graph);
        for (var i = 0; i < graph.Outputs.Count; i++)
            _outputs[graph.Outputs[i]] = i;
        foreach (var value in graph.Nodes.SelectMany(static n => n.Inputs).OfType<Value>().Concat(graph.Outputs))
            _uses[value] = _uses.GetValueOrDefault(value) + 1;
    }

    /// <summary>Emits nodes before the one that is looked at.</summary>
    public GraphBuilder Builder { get; }

    /// <summary>Whether nobody else used the value when the walk began; so a pattern that takes it over leaves nothing behind.</summary>
    public bool IsUsedOnce(Value value) => _uses.GetValueOrDefault(value) <= 1;

    /// <summary>The standard node of that operator that makes the value, or null.</summary>
    public static Node? Made(Value? value, string op) => value?.Producer is { Domain: "" } producer && producer.OpType == op ? producer : null;

    /// <summary>The number that all elements of the value are, where that can be seen; else null.</summary>
    public static double? FilledWith(Value? value)
    {
        const int mostElements = 64;
        while (value?.Producer is { Domain: "", OpType: "Expand" or "Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" or "Transpose" or "Identity" } producer)
            value = producer.Input(0);
        if (value is not { Constant: { } data } || !data.Type.IsFloating() || data.ElementCount is 0 or > mostElements)
            return null;
        var numbers = data.ToDoubles();
        return Array.TrueForAll(numbers, n => n == numbers[0]) ? numbers[0] : null;
    }

    /// <summary>Whether the node was put there during this walk.</summary>
    internal bool IsNew(Node node) => !_old.Contains(node);

    /// <summary>Names of new nodes go where the node's own name is.</summary>
    internal Scope ScopeOf(Node node) => Builder.RootScope(node.Name.LastIndexOf('/') is var at and > 0 ? node.Name[..at] : "");

    /// <summary>Whether a replacement may be, as the graph's output, what the value was: it needs a name of its own, and ONNX Runtime copies
    /// bound outputs that end in a mere change of shape.</summary>
    internal bool MayStandFor(Value value, Value replacement) => !_outputs.ContainsKey(value)
        || (replacement.Producer is { OpType: not ("Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" or "Identity") } && !_outputs.ContainsKey(replacement));

    /// <summary>Gives the replacement of an output its name and place.</summary>
    internal void TakeOver(Value value, Value replacement)
    {
        _uses[replacement] = _uses.GetValueOrDefault(replacement) + _uses.GetValueOrDefault(value);
        if (!_outputs.Remove(value, out var index))
            return;
        (value.Name, replacement.Name) = (replacement.Name, value.Name);
        _graph.Outputs[index] = replacement;
        _outputs[replacement] = index;
    }
}
