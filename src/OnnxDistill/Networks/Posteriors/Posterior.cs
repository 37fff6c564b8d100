using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks.Posteriors;

/// <summary>Where a posterior is to stand.</summary>
/// <param name="Batch">Samples a run.</param>
/// <param name="DataShape">Extents of one sample: one axis for points, [C, H, W] for images.</param>
/// <param name="LatentShape">Extents of one latent.</param>
/// <param name="SigmaData">Standard deviation of the data.</param>
/// <param name="Labels">Number of classes, 0 for none.</param>
public sealed record PosteriorPlace(int Batch, IReadOnlyList<long> DataShape, IReadOnlyList<long> LatentShape, double SigmaData, int Labels);

/// <summary>
/// The posterior over a generator's latent, ln q(z | x_t, sigma), of VarDiU (Wang et al. 2025, arXiv 2508.20646): N(z; mean, deviation²) with both from a network that sees
/// x_t and sigma, and, for a flow, N(T(z); mean, deviation²) |det dT/dz|. Points are seen by an MLP, images by a DDPM++ U-Net.
/// </summary>
public static class Posterior
{
    /// <summary>Name of the input for noisy samples [N, ...].</summary>
    public const string X = Denoiser.X;

    /// <summary>Name of the input for their noise levels [N].</summary>
    public const string Sigma = Denoiser.Sigma;

    /// <summary>Name of the input for latents [N, ...].</summary>
    public const string Latent = "z";

    /// <summary>Name of the input for classes [N], where there are any.</summary>
    public const string Label = Denoiser.Label;

    /// <summary>Name of the input for the noisy samples that a flow is conditioned on, so that a loss can tell their gradient from that through <see cref="X"/>.</summary>
    public const string FlowX = "flow_x";

    /// <summary>Name of the output, [N].</summary>
    public const string LogDensity = "log_density";

    /// <summary>The posterior with freshly drawn weights.</summary>
    /// <exception cref="ArgumentException">There is no such network for these samples and latents.</exception>
    public static Network Build(PosteriorOptions options, PosteriorPlace place)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(place);
        Check(options, place);
        var b = new GraphBuilder("posterior");
        var layers = new Layers(b, options.Seed);
        Value Samples(string name) => b.Input(name, ElementType.Float32, Shape.Of([place.Batch, .. place.DataShape]));
        var (x, sigma) = (Samples(X), b.Input(Sigma, ElementType.Float32, Shape.Of(place.Batch)));
        var z = b.Input(Latent, ElementType.Float32, Shape.Of([place.Batch, .. place.LatentShape]));
        var label = place.Labels > 0 ? b.Input(Label, ElementType.Int64, Shape.Of(place.Batch)) : null;

        var units = PosteriorUnits.Of(b, options.Scaling, sigma, place.SigmaData);
        var trunk = new PosteriorTrunk(layers, options, place);
        var (mean, raw) = trunk.Apply(units.Seen(x), units.Noise, label);
        Value? logDeterminant = null;
        if (options.Kind == PosteriorKind.Flow)
        {
            var context = trunk.Columns(units.Seen(Samples(FlowX)), units.Noise, label);
            (z, logDeterminant) = PosteriorFlow.Apply(layers, options.Flow, z, context);
        }
        var density = LogNormal(b, z, mean, units.Deviation(raw));
        b.Output(LogDensity, logDeterminant is null ? density : b.Add(density, logDeterminant));
        var model = new OnnxModel(b.Graph);
        return new Network(model, "the posterior", model);
    }

    // sum over the latent of ln N(z; mean, deviation²), [N].
    private static Value LogNormal(GraphBuilder b, Value z, Value mean, Value deviation)
    {
        var each = b.Sub(b.Mul(b.Square(b.Div(b.Sub(z, mean), deviation)), -0.5), b.Log(deviation));
        return b.Reshape(b.SumPerSample(b.Add(each, -0.5 * Math.Log(2 * Math.PI))), Shape.Of(z.Shape[0]));
    }

    private static void Check(PosteriorOptions options, PosteriorPlace place)
    {
        var found = $"posterior: found samples of the shape [{string.Join(", ", place.DataShape)}] and latents of the shape [{string.Join(", ", place.LatentShape)}]";
        if (place.DataShape.Count is not (1 or 3))
            throw new ArgumentException($"{found}, expected points (one axis) or images [C, H, W].");
        if (options.Kind == PosteriorKind.Flow && (place.DataShape.Count != 1 || place.LatentShape.Count != 1))
            throw new ArgumentException($"{found}, but a flow is made for points and latents of one axis. Take the kind \"gaussian\".");
        if (place.DataShape.Count == 3)
            ImageDenoiser.CheckSquare("posterior.uNet", [.. place.DataShape], options.UNet.Multipliers.Length);
    }
}
