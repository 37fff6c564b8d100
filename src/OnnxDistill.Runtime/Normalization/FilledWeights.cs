using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>Weights of which a file gives only the shape and one number for all elements (ConstantOfShape): large networks as small files. They stay
/// so, a few bytes each, until a run needs them.</summary>
public static class FilledWeights
{
    /// <summary>Name and extents of each, in the file's order.</summary>
    public static IReadOnlyList<(string Name, long[] Dims)> Find(OnnxGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var found = WeightFinder.Find(graph, new NormalizeOptions());
        var filled = found.Nodes.Where(static n => n.OpType == "ConstantOfShape").Select(static n => n.Output.Name).ToHashSet(StringComparer.Ordinal);
        return [.. found.Values.Where(v => filled.Contains(v.Name)).Select(static v => (v.Name, v.Data.Dims))];
    }
}
