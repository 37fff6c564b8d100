using OnnxDistill.Graph.Model;

namespace OnnxDistill.Verification;

/// <summary>The arithmetic of a graph's matrix products and convolutions, one multiplication and one addition a term: what a network's speed is judged by.</summary>
public static class MatrixWork
{
    /// <summary>Multiplications and additions of a run.</summary>
    /// <exception cref="InvalidOperationException">A shape that is needed is not known.</exception>
    public static double Flops(OnnxGraph graph) => graph.Nodes.Sum(Flops);

    private static double Flops(Node node) => node.OpType switch
    {
        "MatMul" => 2.0 * node.Output.Shape.ElementCount * node.Input(0).Shape.Sizes()[^1],
        "Gemm" => 2.0 * node.Output.Shape.ElementCount * node.Input(0).Shape.Sizes()[node.Attributes.Int("transA", 0) == 0 ? 1 : 0],
        // A weight [outputs, inputs/groups, kernel]: each output number is a sum over the weight's other axes.
        "Conv" => 2.0 * node.Output.Shape.ElementCount * PerFilter(node),
        // The other way round: each input number goes to all of a weight [inputs, outputs/groups, kernel].
        "ConvTranspose" => 2.0 * node.Input(0).Shape.ElementCount * PerFilter(node),
        _ => 0,
    };

    private static double PerFilter(Node node)
    {
        var weight = node.Input(1).Shape.Sizes();
        return weight.Skip(1).Aggregate(1.0, static (n, d) => n * d);
    }
}
