using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks.Posteriors;

/// <summary>The network behind a posterior's mean and deviation: an MLP of SiLU layers for points, a DDPM++ U-Net for images.</summary>
internal sealed class PosteriorTrunk(Layers layers, PosteriorOptions options, PosteriorPlace place)
{
    // Uniform in ±1/sqrt(fan-in), weights and biases.
    internal static readonly InitialWeights Initial = new(InitialLaw.KaimingUniform, Math.Sqrt(1 / 3.0), Math.Sqrt(1 / 3.0));

    /// <summary>Samples [N, ...] and noise levels [N, 1], as the network sees them, to two values of the latent's shape.</summary>
    public (Value Mean, Value Raw) Apply(Value x, Value noise, Value? label)
    {
        var b = layers.B;
        var latent = Shape.Of([place.Batch, .. place.LatentShape]);
        var size = latent.ElementCount / place.Batch;
        var h = place.DataShape.Count == 1 ? Mlp(Columns(x, noise, label), 2 * size)
            : SongUNet.Emit(layers, options.UNet, place.Labels, x, noise, label, 2 * place.DataShape[0]);
        if (place.DataShape.Count == 3 && !place.LatentShape.SequenceEqual(place.DataShape))
            h = layers.Linear("latent", b.Reshape(h, Shape.Of(place.Batch, h.Shape.ElementCount / place.Batch)), 2 * size, Initial);
        var halves = b.Split(h, 1, h.Shape[1].Size / 2, h.Shape[1].Size / 2);
        return (b.Reshape(halves[0], latent), b.Reshape(halves[1], latent));
    }

    /// <summary>Points, as many columns of the noise level, and classes side by side.</summary>
    public Value Columns(Value x, Value noise, Value? label)
    {
        var b = layers.B;
        var columns = b.Concat(1, x, b.Mul(noise, b.Full(Shape.Of(1, x.Shape[1]), 1)));
        return label is null ? columns : b.Concat(1, columns, layers.OneHot(label, place.Labels));
    }

    private Value Mlp(Value h, long outputs)
    {
        for (var i = 0; i < options.Hidden.Length; i++)
            h = layers.B.Silu(layers.Linear($"hidden.{i}", h, options.Hidden[i], Initial));
        return layers.Linear("output", h, outputs, Initial);
    }
}
