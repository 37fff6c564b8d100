using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks;

/// <summary>
/// A discriminator of samples. Of images: 4x4 convolutions with stride 2 and twice the width each, down to a side of four or less, after DCGAN (Radford et al. 2016,
/// arXiv 1511.06434), without normalisation, which would disturb the penalty on its gradient. Of points: three layers. With classes their embeddings are
/// projected onto the last features (Miyato and Koyama 2018, arXiv 1802.05637): logit = w · h + e_class · h.
/// </summary>
internal static class SampleDiscriminator
{
    /// <summary>Name of the input of samples.</summary>
    public const string X = "x";

    /// <summary>Name of the input of classes.</summary>
    public const string Label = "label";

    /// <summary>Name of the output, [N, 1].</summary>
    public const string Logits = "logits";

    private static readonly InitialWeights Initial = new(InitialLaw.KaimingNormal);

    /// <summary>The discriminator with freshly drawn weights.</summary>
    /// <param name="samples">Shape of a batch of samples.</param>
    /// <param name="labels">Number of classes, 0 for none.</param>
    /// <param name="width">Channels of the first convolution; width of the layers for points.</param>
    /// <param name="seed">Seed of the weights.</param>
    public static Network Build(Shape samples, int labels, int width, long seed)
    {
        var b = new GraphBuilder("discriminator");
        var layers = new Layers(b, seed);
        var h = b.Input(X, ElementType.Float32, samples);
        var label = labels > 0 ? b.Input(Label, ElementType.Int64, Shape.Of(samples[0])) : null;
        h = samples.Rank == 4 ? Images(layers, h, width) : Points(layers, h, width);
        var logits = layers.Linear("logits", h, 1, Initial);
        if (label is not null)
        {
            var embedding = layers.Linear("map_label", layers.OneHot(label, labels), h.Shape[1].Size, Initial, bias: false);
            logits = b.Add(logits, b.ReduceSum(b.Mul(embedding, h), [1]));
        }
        b.Output(Logits, logits);
        var model = new OnnxModel(b.Graph);
        return new Network(model, "the discriminator", model);
    }

    private static Value Images(Layers layers, Value h, long width)
    {
        var b = layers.B;
        for (var level = 0; level == 0 || h.Shape[2].Size > 4; level++, width *= 2)
            h = b.Silu(layers.Strided($"conv{level}", h, width, 4, 2, 1, Initial));
        return b.Reshape(h, Shape.Of(h.Shape[0].Size, h.Shape[1].Size * h.Shape[2].Size * h.Shape[3].Size));
    }

    private static Value Points(Layers layers, Value h, long width)
    {
        var b = layers.B;
        h = b.Reshape(h, Shape.Of(h.Shape[0].Size, h.Shape.ElementCount / h.Shape[0].Size));
        for (var layer = 0; layer < 3; layer++)
            h = b.Silu(layers.Linear($"linear{layer}", h, width, Initial));
        return h;
    }
}
