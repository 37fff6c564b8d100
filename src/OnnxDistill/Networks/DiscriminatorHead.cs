using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks;

/// <summary>
/// Heads of a discriminator on activations of a denoiser, one for each: [N, ...] to one logit a sample. On a map of 8x8 that of DMD2 (arXiv 2405.14867, released code): convolution
/// 4x4 with stride 2, group normalisation, SiLU, convolution 4x4 with stride 4, group normalisation, SiLU, convolution 1x1; on smaller maps the second kernel is what is left, on
/// larger ones the logits of all places are averaged. Tokens and vectors get linear layers in the convolutions' place.
/// </summary>
public static class DiscriminatorHead
{
    /// <summary>Name of the output, [N, number of features].</summary>
    public const string Logits = "logits";

    private static readonly InitialWeights Initial = new(InitialLaw.KaimingUniform, Bias: 1);

    /// <summary>Name of the input for a feature.</summary>
    public static string Input(int feature) => FormattableString.Invariant($"feature_{feature}");

    /// <summary>The heads with freshly drawn weights, at the features' batch.</summary>
    /// <param name="features">What they stand on.</param>
    /// <param name="seed">Seed of the weights.</param>
    public static Network Build(IReadOnlyList<Feature> features, long seed)
    {
        ArgumentNullException.ThrowIfNull(features);
        var b = new GraphBuilder("discriminator");
        var layers = new Layers(b, seed);
        var logits = features.Select((feature, i) => Head(layers, $"head{i}", b.Input(Input(i), ElementType.Float32, feature.Shape))).ToArray();
        b.Output(Logits, b.Concat(1, logits));
        var model = new OnnxModel(b.Graph);
        return new Network(model, "the discriminator", model);
    }

    private static Value Head(Layers layers, string name, Value x)
    {
        var b = layers.B;
        if (x.Shape.Rank == 4)
        {
            var h = Block(layers, name, 0, x, kernel: 4, stride: 2, pad: 1);
            var left = Math.Min(4, Math.Min(h.Shape[2].Size, h.Shape[3].Size));
            h = Block(layers, name, 1, h, kernel: left, stride: left, pad: 0);
            return b.ReduceMean(layers.Conv($"{name}.conv2", h, 1, 1, Initial), [2, 3], keepDims: false);
        }
        // Tokens [N, T, C] as rows.
        var width = x.Shape[x.Shape.Rank - 1].Size;
        var rows = b.Reshape(x, Shape.Of(x.Shape.ElementCount / width, width));
        rows = b.Silu(layers.Linear($"{name}.linear0", rows, width, Initial));
        rows = b.Silu(layers.Linear($"{name}.linear1", rows, width, Initial));
        var perRow = b.Reshape(layers.Linear($"{name}.linear2", rows, 1, Initial), Shape.Of(x.Shape[0].Size, x.Shape.ElementCount / width / x.Shape[0].Size));
        return b.ReduceMean(perRow, [1]);
    }

    private static Value Block(Layers layers, string name, int index, Value x, long kernel, long stride, long pad)
    {
        // A map that the first kernel does not fit is taken as a whole.
        if (Math.Min(x.Shape[2].Size, x.Shape[3].Size) + (2 * pad) < kernel)
            (kernel, stride, pad) = (Math.Min(x.Shape[2].Size, x.Shape[3].Size), 1, 0);
        var h = layers.Strided($"{name}.conv{index}", x, x.Shape[1].Size, kernel, stride, pad, Initial);
        return layers.B.Silu(layers.GroupNorm($"{name}.norm{index}", h, 1e-5));
    }
}
