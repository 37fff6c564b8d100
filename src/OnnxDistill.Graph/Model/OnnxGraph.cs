namespace OnnxDistill.Graph.Model;

/// <summary>Nodes in topological order with the graph's inputs, outputs and initializers.</summary>
public sealed class OnnxGraph
{
    /// <summary>The graph's name, shown by viewers.</summary>
    public string Name { get; set; } = "graph";

    /// <summary>What the caller feeds, in order.</summary>
    public List<Value> Inputs { get; } = [];

    /// <summary>What the caller gets, in order.</summary>
    public List<Value> Outputs { get; } = [];

    /// <summary>Constant tensors; each has <see cref="Value.Constant"/> set.</summary>
    public List<Value> Initializers { get; } = [];

    /// <summary>Operations; a node stands after those that it depends on.</summary>
    public List<Node> Nodes { get; } = [];

    /// <summary>The input of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists those that exist.</exception>
    public Value Input(string name) => Find(Inputs, name, "input");

    /// <summary>The output of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists those that exist.</exception>
    public Value Output(string name) => Find(Outputs, name, "output");

    private Value Find(List<Value> values, string name, string kind) => values.Find(v => v.Name == name)
        ?? throw new KeyNotFoundException($"The graph '{Name}' has no {kind} '{name}'. It has: {string.Join(", ", values.Select(v => v.Name))}.");
}
