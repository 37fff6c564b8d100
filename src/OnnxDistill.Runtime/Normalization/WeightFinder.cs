using System.Runtime.InteropServices;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>The weights of a graph: what ONNX Runtime must neither fold, fuse nor rename.</summary>
/// <param name="Values">Each with its bytes, in the file's order.</param>
/// <param name="Nodes">The Constant and ConstantOfShape nodes that made some of them.</param>
internal sealed record WeightSet(IReadOnlyList<(string Name, TensorData Data)> Values, IReadOnlySet<Node> Nodes);

/// <summary>Tells weights from constants.</summary>
internal static class WeightFinder
{
    /// <summary>The weights of a graph.</summary>
    public static WeightSet Find(OnnxGraph graph, NormalizeOptions options)
    {
        var sizes = ShapeFeeders.Find(graph);
        var constants = graph.Initializers.Where(v => v.Constant is not null).ToDictionary(v => v.Name, v => v.Constant!, StringComparer.Ordinal);
        var weights = constants.Where(c => IsWeight(c.Key, c.Value, options.LeastWeightElements, sizes)).Select(c => (c.Key, c.Value)).ToList();
        var nodes = new HashSet<Node>();
        foreach (var node in graph.Nodes)
        {
            if (Made(node, constants) is not { } data)
                continue;
            constants.TryAdd(node.Output.Name, data);
            if (IsWeight(node.Output.Name, data, options.LeastConstantElements, sizes))
            {
                weights.Add((node.Output.Name, data));
                nodes.Add(node);
            }
        }
        return new WeightSet(weights, nodes);
    }

    private static bool IsWeight(string name, TensorData data, long leastElements, HashSet<string> sizes) =>
        data.Type.IsFloating() && data.ElementCount >= leastElements && !sizes.Contains(name);

    private static TensorData? Made(Node node, Dictionary<string, TensorData> constants) => node.QualifiedOp switch
    {
        "Constant" => node.Attributes.Tensor("value"),
        "ConstantOfShape" when node.OptionalInput(0) is { } shape && constants.TryGetValue(shape.Name, out var dims) =>
            Filled(dims.ToLongs(), node.Attributes.Tensor("value") ?? TensorData.Of([0f], 1)),
        _ => null,
    };

    // Deferred: a light model's ConstantOfShape weights are a few bytes in the file and hundreds of megabytes in memory.
    private static TensorData Filled(long[] dims, TensorData element)
    {
        var count = dims.Aggregate(1L, static (a, b) => checked(a * b));
        return TensorData.Deferred(element.Type, dims, () => element.Type.Size() switch
        {
            2 => Repeat<ushort>(element, count),
            4 => Repeat<uint>(element, count),
            8 => Repeat<ulong>(element, count),
            _ => Repeat<byte>(element, count),
        });
    }

    private static ReadOnlyMemory<byte> Repeat<T>(TensorData element, long count) where T : unmanaged
    {
        var bytes = new byte[checked(count * element.Type.Size())];
        MemoryMarshal.Cast<byte, T>(bytes.AsSpan()).Fill(MemoryMarshal.Read<T>(element.Bytes));
        return bytes;
    }
}
