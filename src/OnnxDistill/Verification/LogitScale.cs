using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Verification;

/// <summary>Keeps the softmax at the end of a network with random weights from saturating: activations grow from block to block of a residual network, and
/// where one class has all the probability every slope is 0 and a check of gradients says nothing.</summary>
internal static class LogitScale
{
    /// <summary>Scales the last layer's weight so that the logits have a root mean square of 1 at the given feeds. Does nothing without such an end.</summary>
    public static void Calm(OnnxGraph graph, IReadOnlySet<string> random, IReadOnlyDictionary<string, TensorData> feeds, long seed)
    {
        foreach (var softmax in graph.Outputs.Select(static o => Before(o, "Reshape", "Flatten", "Squeeze", "Identity").Producer)
            .Where(static n => n?.OpType is "Softmax" or "LogSoftmax").OfType<Node>())
        {
            var layer = Before(softmax.Input(0), "Reshape", "Flatten", "Squeeze", "Identity", "Relu", "GlobalAveragePool", "AveragePool", "ReduceMean", "Add", "Sum").Producer;
            if (layer?.OpType is not ("Gemm" or "MatMul" or "Conv") || layer.OptionalInput(1) is not { Constant: { } data } weight || !random.Contains(weight.Name))
                continue;
            var size = Size(graph, softmax.Input(0), feeds, seed);
            if (!double.IsFinite(size) || size == 0)
                continue;
            weight.Constant = data.Type == ElementType.Float64
                ? TensorData.Of(Array.ConvertAll(data.ToDoubles(), w => w / size), data.Dims)
                : TensorData.Of(Array.ConvertAll(data.ToDoubles(), w => (float)(w / size)), data.Dims);
        }
    }

    // The first operand of a sum is the layer, the second its bias.
    private static Value Before(Value value, params string[] passed)
    {
        while (value.Producer is { Domain: "" } node && passed.Contains(node.OpType))
            value = node.Input(0);
        return value;
    }

    private static double Size(OnnxGraph graph, Value logits, IReadOnlyDictionary<string, TensorData> feeds, long seed)
    {
        var probe = new OnnxGraph { Name = $"{graph.Name} up to its logits" };
        probe.Inputs.AddRange(graph.Inputs);
        probe.Initializers.AddRange(graph.Initializers);
        probe.Nodes.AddRange(graph.Nodes);
        probe.Outputs.Add(logits);
        using var session = GraphSession.Create(new OnnxModel(probe));
        var numbers = session.Run(graph.Inputs.ToDictionary(static i => i.Name, i => feeds.GetValueOrDefault(i.Name) ?? RandomFeeds.For(i, seed)))[logits.Name].ToDoubles();
        return Math.Sqrt(numbers.Sum(static n => n * n) / numbers.Length);
    }
}
