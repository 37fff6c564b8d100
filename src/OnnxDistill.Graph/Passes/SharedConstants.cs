using System.Globalization;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>
/// before: two initializers with the same numbers → after: one. Each copy of a network brings its constants along; frozen weights that two
/// copies share are recognised by their data's identity, small constants by their bytes.
/// </summary>
public sealed class SharedConstants : IGraphPass
{
    /// <summary>Larger constants are compared by identity only: reading them could load a file of gigabytes.</summary>
    private const int MostBytes = 256;

    /// <inheritdoc/>
    public string Name => "shared constants";

    /// <inheritdoc/>
    public int Run(OnnxGraph graph)
    {
        var outputs = graph.Outputs.ToHashSet();
        var substitution = new Substitution();
        var byIdentity = new Dictionary<TensorData, Value>(ReferenceEqualityComparer.Instance);
        var byContent = new Dictionary<string, Value>(StringComparer.Ordinal);
        var kept = new List<Value>(graph.Initializers.Count);
        foreach (var initializer in graph.Initializers)
        {
            if (outputs.Contains(initializer) || initializer.Constant is not { } data)
                kept.Add(initializer);
            else if (byIdentity.TryGetValue(data, out var same) || (Content(data) is { } content && !byContent.TryAdd(content, initializer) && byContent.TryGetValue(content, out same)))
                substitution.Add(initializer, same);
            else
            {
                byIdentity[data] = initializer;
                kept.Add(initializer);
            }
        }
        var removed = graph.Initializers.Count - kept.Count;
        if (removed == 0)
            return 0;
        foreach (var node in graph.Nodes)
            substitution.Apply(node);
        graph.Initializers.Clear();
        graph.Initializers.AddRange(kept);
        return removed;
    }

    private static string? Content(TensorData data) => data.Type.Size() == 0 || data.ElementCount * data.Type.Size() > MostBytes ? null
        : string.Create(CultureInfo.InvariantCulture, $"{(int)data.Type}[{string.Join(',', data.Dims)}]{Convert.ToBase64String(data.Bytes)}");
}
