using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>Options of <see cref="Mlp"/>.</summary>
public sealed record MlpOptions
{
    /// <summary>Width of each hidden layer.</summary>
    public int[] Hidden { get; init; } = [400, 400, 400, 400];

    /// <summary>Numbers in one sample.</summary>
    public int Dimension { get; init; } = 2;

    /// <summary>Seed of the initial weights.</summary>
    public long Seed { get; init; }

    /// <summary>The card: sigma_data sets the preconditioning.</summary>
    public TeacherCard Card { get; init; } = new() { Data = "points" };
}

/// <summary>
/// A multilayer perceptron as a denoiser of points: SiLU layers on [c_in x, c_noise repeated], wrapped by EDM's preconditioning
/// (Karras et al. 2022, arXiv 2206.00364, table 1; the layer shape is VarDiU's, arXiv 2508.20646: 4-400-400-400-400-2 in two dimensions).
/// </summary>
public static class Mlp
{
    /// <summary>The denoiser with freshly drawn weights: uniform in ±1/sqrt(fan-in) for weights and biases.</summary>
    public static Denoiser Build(MlpOptions options)
    {
        var builder = new GraphBuilder("mlp");
        var batch = Dim.Named("N");
        var x = builder.Input(Denoiser.X, ElementType.Float32, Shape.Of(batch, options.Dimension));
        var sigma = builder.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        var denoised = EdmPreconditioning.Apply(builder, x, sigma, options.Card.SigmaData, (scaled, noise) =>
        {
            // A product with ones repeats the column for a symbolic batch too, where Expand would need the number.
            var ones = builder.Constant(TensorData.Of([.. Enumerable.Repeat(1f, options.Dimension)], 1, options.Dimension));
            var h = builder.Concat(1, scaled, builder.Mul(noise, ones));
            int[] widths = [2 * options.Dimension, .. options.Hidden, options.Dimension];
            for (var layer = 1; layer < widths.Length; layer++)
            {
                var name = layer == widths.Length - 1 ? "output" : $"hidden.{layer - 1}";
                h = Linear(builder, name, h, widths[layer - 1], widths[layer], options.Seed);
                if (layer < widths.Length - 1)
                    h = builder.Silu(h);
            }
            return h;
        });
        builder.Output(Denoiser.Denoised, denoised);
        var model = new OnnxModel(builder.Graph);
        options.Card.WriteTo(model);
        return new Denoiser(model, "the MLP");
    }

    private static Value Linear(GraphBuilder builder, string name, Value x, int inputs, int outputs, long seed)
    {
        var bound = 1 / Math.Sqrt(inputs);
        Value Parameter(string kind, params long[] dims)
        {
            var data = new float[dims.Aggregate(1L, static (n, d) => n * d)];
            new NoiseStream(seed, StreamId.Named($"{name}.{kind}")).FillUniform(data, 0);
            for (var i = 0; i < data.Length; i++)
                data[i] = (float)(((2 * data[i]) - 1) * bound);
            return builder.Initializer($"{name}.{kind}", TensorData.Of(data, dims));
        }
        using (builder.Scope(name))
            return builder.Gemm(x, Parameter("weight", inputs, outputs), Parameter("bias", outputs));
    }
}
