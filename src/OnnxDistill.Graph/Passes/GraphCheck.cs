using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.OpsetConversions;

namespace OnnxDistill.Graph.Passes;

/// <summary>The check of one graph, subgraphs included.</summary>
internal sealed class GraphCheck(OnnxGraph graph, HashSet<string> domains, List<string> findings, GraphCheck? outer)
{
    private readonly GraphCheck? _outer = outer;

    private readonly Dictionary<string, Value> _defined = new(StringComparer.Ordinal);

    /// <summary>Names that some node of the graph defines sooner or later, to tell a wrong order from an undefined value.</summary>
    private readonly HashSet<string> _produced = graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>().Select(static v => v.Name)
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>Adds what is wrong to the findings.</summary>
    public void Run()
    {
        foreach (var input in graph.Inputs)
        {
            Define(input, "a graph input");
            if (_outer is null && input.Type == ElementType.Undefined)
                Note($"the graph input '{input.Name}' has no element type");
            if (input.Constant is not null)
                Note($"the graph input '{input.Name}' carries constant data");
        }
        foreach (var initializer in graph.Initializers)
            CheckInitializer(initializer);
        foreach (var node in graph.Nodes)
            CheckNode(node);
        foreach (var output in graph.Outputs)
            CheckUse(output, "the graph's outputs", mayBeOuter: false);
        foreach (var name in graph.Outputs.CountBy(static v => v.Name).Where(static p => p.Value > 1).Select(static p => p.Key))
            Note($"'{name}' is a graph output more than once");
    }

    private void CheckInitializer(Value initializer)
    {
        Define(initializer, "an initializer");
        if (initializer.Constant is not { } data)
            Note($"the initializer '{initializer.Name}' has no data");
        else if (initializer.Type != data.Type || initializer.KnownShape?.Equals(data.Shape) != true)
            Note($"the initializer '{initializer.Name}' is {initializer.Type}{initializer.KnownShape} but holds {data.Type}{data.Shape}");
    }

    private void CheckNode(Node node)
    {
        if (!domains.Contains(node.Domain))
            Note($"{node} is of the operator domain '{node.Domain}', which is not allowed here");
        else if (node.Domain.Length == 0 && !StandardOps.Contains(node.OpType))
            Note($"{node} is no operator of opset {OnnxModel.InnerOpset}");
        else if (node.Domain == StopGradientMarker.Domain && !StopGradientMarker.Is(node))
            Note($"{node} is no operator of the domain '{node.Domain}'");
        foreach (var input in node.Inputs.OfType<Value>())
            CheckUse(input, node.ToString(), mayBeOuter: true);
        foreach (var subgraph in node.Attributes.Select(static a => a.Value).OfType<OnnxGraph>())
            new GraphCheck(subgraph, domains, findings, this).Run();
        if (!node.Outputs.OfType<Value>().Any())
            Note($"{node} has no output");
        foreach (var output in node.Outputs.OfType<Value>())
        {
            Define(output, $"an output of {node}");
            if (output.Producer != node)
                Note($"'{output.Name}' is an output of {node} but names {output.Producer?.ToString() ?? "nothing"} as its producer");
        }
    }

    private void CheckUse(Value value, string user, bool mayBeOuter)
    {
        if (_defined.TryGetValue(value.Name, out var defined))
        {
            if (defined != value)
                Note($"{user} uses another object of the name '{value.Name}' than the one that is defined");
        }
        else if (_produced.Contains(value.Name))
        {
            Note($"{user} uses '{value.Name}' before it is produced");
        }
        // A subgraph sees what is defined around it, by name.
        else if (!mayBeOuter || !IsDefinedAround(value.Name))
        {
            Note($"{user} uses '{value.Name}', which is no input, initializer or output of any node");
        }
    }

    private bool IsDefinedAround(string name)
    {
        for (var scope = _outer; scope is not null; scope = scope._outer)
        {
            if (scope._defined.ContainsKey(name))
                return true;
        }
        return false;
    }

    private void Define(Value value, string kind)
    {
        if (!_defined.TryAdd(value.Name, value))
            Note($"the name '{value.Name}' is taken by {kind} and by something before it");
    }

    private void Note(string finding) => findings.Add(_outer is null ? finding : $"in subgraph '{graph.Name}': {finding}");
}
