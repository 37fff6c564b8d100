using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Networks;

/// <summary>
/// Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685, section 4.1): every weight W of a product or a convolution becomes W + (alpha / rank) B A, with B zero and A random
/// at the start, so that the network begins as it was; A and B are trained, all else is frozen. A convolution's weight [out, in, k, k] counts as the matrix [out, in k k].
/// </summary>
public static class Lora
{
    /// <summary>Ending of the names of the factors A, [rank, columns].</summary>
    public const string A = ".lora_a";

    /// <summary>Ending of the names of the factors B, [rows, rank].</summary>
    public const string B = ".lora_b";

    private static readonly string[] Products = ["MatMul", "Gemm", "Conv", "ConvTranspose"];
    private static readonly string[] Views = ["Transpose", "Reshape", "Identity"];

    /// <summary>The adapted network.</summary>
    /// <param name="network">What is adapted; it stays as it is.</param>
    /// <param name="rank">Rank of each update; a smaller weight has a smaller one.</param>
    /// <param name="alpha">Factor on the updates, over the rank.</param>
    /// <param name="seed">Seed of the factors A.</param>
    /// <exception cref="ArgumentException">The network has no weight that could be adapted.</exception>
    public static Network Apply(Network network, int rank, double alpha, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        var graph = network.Model.Graph;
        var weights = Weights(graph, network.Parameters);
        if (weights.Count == 0)
            throw new ArgumentException($"{network.What} has no weight of a product or a convolution that LoRA could adapt; its parameters are {string.Join(", ", network.Parameters.Select(p => p.Name))}.", nameof(network));

        var b = new GraphBuilder(graph.Name);
        var bound = graph.Inputs.ToDictionary(i => i.Name, i => b.Input(i.Name, i.Type, i.Shape), StringComparer.Ordinal);
        foreach (var initializer in graph.Initializers)
            bound[initializer.Name] = b.Initializer(initializer.Name, initializer.Constant!); // an initializer
        var factors = new List<string>();
        foreach (var weight in weights)
        {
            var dims = weight.Constant!.Dims; // a parameter is an initializer
            var (rows, columns) = (dims[0], weight.Constant.ElementCount / dims[0]);
            var width = Math.Min(rank, Math.Min(rows, columns));
            using var scope = b.Scope($"lora/{weight.Name}");
            var random = new InitialWeights(InitialLaw.KaimingUniform).Draw(new NoiseStream(seed, StreamId.Named(weight.Name + A)), 1, columns, rows, width, columns);
            var down = b.Initializer(weight.Name + A, random);
            var up = b.Initializer(weight.Name + B, TensorData.Of(new float[rows * width], rows, width));
            factors.AddRange([down.Name, up.Name]);
            bound[weight.Name] = b.Add(bound[weight.Name], b.Mul(b.Reshape(b.MatMul(up, down), Shape.Of(dims)), alpha / rank));
        }
        foreach (var (output, value) in graph.Outputs.Zip(b.Inline(graph, "adapted", bound)))
            b.Output(output.Name, value);
        return new Network(network.Model.With(b.Graph), $"{network.What} with LoRA of rank {rank.ToString(CultureInfo.InvariantCulture)}", factors);
    }

    // The parameters that a product multiplies with, directly or in another order of axes.
    private static List<Value> Weights(OnnxGraph graph, IReadOnlyList<Value> parameters)
    {
        var multiplied = new HashSet<Value>();
        for (var i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            var node = graph.Nodes[i];
            if (Products.Contains(node.OpType))
                multiplied.UnionWith(node.Inputs.Take(2).OfType<Value>());
            else if (Views.Contains(node.OpType) && multiplied.Contains(node.Output))
                multiplied.Add(node.Input(0));
        }
        return [.. parameters.Where(p => multiplied.Contains(p) && p.Shape.Rank > 1)];
    }
}
