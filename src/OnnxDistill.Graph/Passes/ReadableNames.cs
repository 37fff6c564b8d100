using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>Gives a name to nodes and values that have none, or a mere number, as exporters write: the path of what they stand in, and the operator.
/// Inputs, outputs and initializers keep theirs, for callers and checkpoints know them.</summary>
public sealed class ReadableNames : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "readable names";

    /// <summary>Whether a name says something: the last part of its path is there, and no number.</summary>
    public static bool IsReadable(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var last = name[(name.LastIndexOf('/') + 1)..];
        return last.Length > 0 && !last.All(char.IsAsciiDigit);
    }

    /// <inheritdoc/>
    public int Run(OnnxGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        // A body of control flow knows the values around it by name.
        if (graph.Nodes.Exists(static n => n.Attributes.Any(static a => a.Value is OnnxGraph)))
            return 0;
        var builder = new GraphBuilder(graph);
        var (changes, seen) = (0, new HashSet<string>(StringComparer.Ordinal));
        foreach (var node in graph.Nodes)
        {
            if (!IsReadable(node.Name) || !seen.Add(node.Name))
            {
                var path = node.Name.Length > 0 ? node.Name : node.Outputs.OfType<Value>().FirstOrDefault()?.Name ?? "";
                seen.Add(node.Name = builder.Reserve(path[..(path.LastIndexOf('/') + 1)] + node.OpType));
                changes++;
            }
            for (var i = 0; i < node.Outputs.Length; i++)
            {
                if (node.Outputs[i] is not { } value || IsReadable(value.Name) || graph.Outputs.Contains(value))
                    continue;
                value.Name = builder.Reserve(string.Create(CultureInfo.InvariantCulture, $"{node.Name}:{i}"));
                changes++;
            }
        }
        return changes;
    }
}
