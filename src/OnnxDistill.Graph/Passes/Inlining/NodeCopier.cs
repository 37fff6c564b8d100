using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Inlining;

/// <summary>Copies nodes into another graph: what they use is replaced by name, what they define gets new names.</summary>
/// <param name="names">Source of new names; null keeps the old ones.</param>
/// <param name="prefix">Stands before new names.</param>
/// <param name="values">Values by the name that the copied nodes know them by; what is defined is added.</param>
/// <param name="attribute">The value of a referred-to attribute of the calling node, null where it has none.</param>
/// <param name="around">Finds values of the graphs around by name.</param>
internal sealed class NodeCopier(NameSource? names, string prefix, Dictionary<string, Value?> values, Func<string, object?>? attribute = null,
    IReadOnlyDictionary<string, Value>? around = null)
{
    /// <summary>Values by the name that the copied nodes know them by.</summary>
    public Dictionary<string, Value?> Values { get; } = values;

    /// <summary>A copy of the node.</summary>
    public Node Copy(Node node)
    {
        var inputs = node.Inputs.Select(Use).ToArray();
        var attributes = Copy(node.Attributes);
        return new Node(node.OpType, inputs, node.Outputs.Select(o => o is null ? null : Define(o)), attributes,
            node.Name.Length == 0 || names is null ? node.Name : $"{prefix}/{node.Name}", node.Domain);
    }

    /// <summary>The value that a copied node uses in place of this one; what is not known stays.</summary>
    public Value? Use(Value? value) => value is null ? null
        : Values.TryGetValue(value.Name, out var found) ? found
        : around?.GetValueOrDefault(value.Name) ?? value;

    /// <summary>An initializer under a new name.</summary>
    public Value Define(Value value)
    {
        // A value that already has its place (an output of the calling node) keeps it.
        if (Values.TryGetValue(value.Name, out var placed) && placed is not null)
            return placed;
        var copy = new Value(Rename(value.Name), value.Type, value.KnownShape) { Constant = value.Constant };
        Values[value.Name] = copy;
        return copy;
    }

    private string Rename(string name) => names is null ? name : names.Unique($"{prefix}/{name}");

    private AttributeMap Copy(AttributeMap attributes) =>
        attributes.Any(static a => a.Value is OnnxGraph or AttributeReference)
            ? new AttributeMap(attributes.Select(a => (a.Key, a.Value switch
            {
                OnnxGraph graph => Copy(graph),
                AttributeReference reference => attribute is null ? reference : attribute(reference.Name),
                var other => other,
            })))
            : attributes;

    private OnnxGraph Copy(OnnxGraph graph)
    {
        // What the subgraph defines is its own: it must not be found outside.
        var own = graph.Inputs.Concat(graph.Initializers).Concat(graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>()).Select(static v => v.Name).ToHashSet();
        var inner = new NodeCopier(names, prefix, Values.Where(v => !own.Contains(v.Key)).ToDictionary(), attribute, around);
        var copy = new OnnxGraph { Name = graph.Name };
        copy.Inputs.AddRange(graph.Inputs.Select(inner.Define));
        copy.Initializers.AddRange(graph.Initializers.Select(inner.Define));
        copy.Nodes.AddRange(graph.Nodes.Select(inner.Copy));
        foreach (var output in graph.Outputs)
            copy.Outputs.Add(inner.Use(output) ?? throw new InvalidOperationException($"The output '{output.Name}' of '{graph.Name}' is left out."));
        return copy;
    }
}
