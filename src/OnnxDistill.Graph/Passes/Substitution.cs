using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>Values that stand for others from here on; passes fill it while they walk a graph in order.</summary>
internal sealed class Substitution
{
    private readonly Dictionary<Value, Value> _replacements = [];

    /// <summary>From now on the second value stands for the first.</summary>
    public void Add(Value value, Value replacement) => _replacements.Add(value, replacement);

    /// <summary>What stands for the value, or the value itself.</summary>
    public Value Resolve(Value value) => _replacements.GetValueOrDefault(value, value);

    /// <summary>Makes a node use the values that stand for its inputs.</summary>
    public void Apply(Node node)
    {
        if (_replacements.Count == 0)
            return;
        for (var i = 0; i < node.Inputs.Length; i++)
        {
            if (node.Inputs[i] is { } input)
                node.Inputs[i] = Resolve(input);
        }
    }
}
