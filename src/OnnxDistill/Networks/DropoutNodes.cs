using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks;

/// <summary>
/// Where a network drops numbers while it is trained (Srivastava et al. 2014): ONNX's Dropout nodes without a training mode, which do nothing in any
/// runtime. They stay in model files; a training graph puts masks from host noise in their place.
/// </summary>
internal static class DropoutNodes
{
    private const string Op = "Dropout";
    private const double DefaultRatio = 0.5;

    /// <summary>A place where the share <paramref name="ratio"/> of the numbers is dropped in training.</summary>
    public static Value Emit(GraphBuilder b, Value x, double ratio) =>
        ratio == 0 ? x : b.Emit(Op, [x, b.Scalar(ratio, x.Type)], x.Type, x.KnownShape);

    /// <summary>The share that a node drops in training; null for any other node, and for a Dropout that drops in inference too or whose mask is used.</summary>
    public static double? Ratio(Node node) => node.OpType == Op && node.Domain.Length == 0 && node.Outputs is [_] && node.OptionalInput(2) is null
        ? node.OptionalInput(1) is { } ratio ? ratio.Constant?.ToDoubles()[0] : DefaultRatio
        : null;

    /// <summary>Brings Dropout nodes that a framework exported in training mode to the form of inference, unless their mask is used.</summary>
    public static void ToInference(OnnxGraph graph)
    {
        var used = graph.Nodes.SelectMany(n => n.Inputs).Concat(graph.Outputs).OfType<Value>().ToHashSet();
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            if (node.OpType == Op && node.Domain.Length == 0 && !node.Outputs.Skip(1).Any(o => o is not null && used.Contains(o)))
                graph.Nodes[i] = new Node(Op, node.Inputs.Take(2), [node.Output], node.Attributes, node.Name);
        }
    }
}
