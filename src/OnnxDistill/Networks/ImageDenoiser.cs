using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>The shell of the built-in image networks: inputs, EDM's preconditioning, card.</summary>
internal static class ImageDenoiser
{
    /// <summary>Builds a denoiser of images around a raw network F(c_in x, c_noise [N, 1], label).</summary>
    public static Denoiser Build(string kind, TeacherCard card, long[] dataShape, long seed, Func<Layers, Value, Value, Value?, Value> network)
    {
        var b = new GraphBuilder(kind);
        var batch = Dim.Named("N");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of([batch, .. dataShape.Select(d => (Dim)d)]));
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        var label = card.IsConditional ? b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(batch)) : null;
        var layers = new Layers(b, seed);
        b.Output(Denoiser.Denoised, EdmPreconditioning.Apply(b, x, sigma, card.SigmaData,
            (scaled, noise) => network(layers, scaled, b.Reshape(noise, Shape.Of(batch, 1)), label)));
        var model = new OnnxModel(b.Graph);
        card.WriteTo(model);
        return new Denoiser(model, $"the {kind}");
    }

    /// <summary>Refuses samples that are no square image, or whose side does not halve evenly between that many resolutions.</summary>
    public static void CheckSquare(string kind, long[] dataShape, int levels)
    {
        if (dataShape is not [> 0, var height, var width] || height != width || height % (1L << (levels - 1)) != 0)
        {
            throw new ArgumentException($"{kind}: found samples of the shape [{string.Join(", ", dataShape)}], expected [C, H, W] with H = W, "
                + $"a multiple of {1L << (levels - 1)} for {levels} resolutions.");
        }
    }
}
