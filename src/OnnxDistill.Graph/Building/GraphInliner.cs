using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

/// <summary>Copies a whole graph into another one, as often as wanted: how networks become parts of loss graphs.</summary>
public static class GraphInliner
{
    /// <summary>Appends the template's nodes under a name scope.</summary>
    /// <param name="builder">Receives the nodes.</param>
    /// <param name="template">Stays as it is.</param>
    /// <param name="scope">Prefix of every copied name.</param>
    /// <param name="bound">Values by the template's name: every input, and any initializer that is to be something else than the constant it is.</param>
    /// <param name="replace">Asked with each node and the values that its inputs became: what stands for the node's first output instead of a copy of the
    /// node, or null to copy it.</param>
    /// <returns>The copies of the template's outputs, in order.</returns>
    /// <exception cref="ArgumentException">An input is not bound, or a bound value has another type or rank.</exception>
    /// <exception cref="UnsupportedOpException">A node has a subgraph.</exception>
    public static Value[] Inline(this GraphBuilder builder, OnnxGraph template, string scope, IReadOnlyDictionary<string, Value> bound,
        Func<Node, IReadOnlyList<Value?>, Value?>? replace = null)
    {
        var copies = new Dictionary<string, Value>(StringComparer.Ordinal);
        using var path = builder.Scope(scope);
        foreach (var input in template.Inputs)
        {
            if (!bound.TryGetValue(input.Name, out var value))
                throw new ArgumentException($"The input '{input.Name}' of '{template.Name}' is not bound.", nameof(bound));
            if (value.Type != input.Type || (value.KnownShape is { } shape && input.KnownShape is { } expected && shape.Rank != expected.Rank))
                throw new ArgumentException($"'{template.Name}' takes {input}, was given {value}.", nameof(bound));
            copies[input.Name] = value;
        }
        foreach (var initializer in template.Initializers)
        {
            copies[initializer.Name] = bound.TryGetValue(initializer.Name, out var value)
                ? value
                : builder.Initializer(builder.Unique(initializer.Name), initializer.Constant!);
        }
        foreach (var node in template.Nodes)
        {
            Value?[] inputs = [.. node.Inputs.Select(i => i is null ? null : copies[i.Name])];
            if (replace?.Invoke(node, inputs) is { } instead)
                copies[node.Output.Name] = instead;
            else
                Copy(builder, node, inputs, copies);
        }
        return [.. template.Outputs.Select(o => copies[o.Name])];
    }

    private static void Copy(GraphBuilder builder, Node node, Value?[] inputs, Dictionary<string, Value> copies)
    {
        if (node.Attributes.Any(a => a.Value is OnnxGraph))
            throw new UnsupportedOpException($"{node} has a subgraph; only models whose If, Loop and Scan were folded away can be composed.");
        var outputs = node.Outputs.Select(o => o is null ? null : new Value(builder.Reserve(o.Name), o.Type, o.KnownShape)).ToArray();
        builder.Graph.Nodes.Add(new Node(node.OpType, inputs, outputs, node.Attributes,
            builder.Reserve(node.Name.Length > 0 ? node.Name : node.OpType), node.Domain));
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] is { } copy)
                copies[node.Outputs[i]!.Name] = copy;
        }
    }
}
