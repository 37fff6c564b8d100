using System.ComponentModel.DataAnnotations;
using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>Options of <see cref="Mlp"/>.</summary>
public sealed record MlpOptions : IValidatableObject
{
    private const int MostWidth = 1 << 16;

    /// <summary>Width of each hidden layer.</summary>
    [MinLength(1)]
    public int[] Hidden { get; init; } = [400, 400, 400, 400];

    /// <summary>Seed of the initial weights.</summary>
    public long Seed { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => Hidden.Where(width => width is < 1 or > MostWidth)
        .Select(width => new ValidationResult(string.Create(CultureInfo.InvariantCulture, $"hidden: found a width of {width}, expected 1 to {MostWidth}.")));
}

/// <summary>
/// A multilayer perceptron as a denoiser of points: SiLU layers on [c_in x, c_noise repeated], wrapped by EDM's preconditioning
/// (Karras et al. 2022, arXiv 2206.00364, table 1; the layer shape is VarDiU's, arXiv 2508.20646: 4-400-400-400-400-2 in two dimensions).
/// </summary>
public static class Mlp
{
    /// <summary>The denoiser with freshly drawn weights: uniform in ±1/sqrt(fan-in) for weights and biases.</summary>
    /// <param name="options">Its sizes.</param>
    /// <param name="card">sigma_data sets the preconditioning.</param>
    /// <param name="dataShape">Numbers in one sample, one axis.</param>
    /// <exception cref="ArgumentException">The samples have more than one axis, or there are classes.</exception>
    public static Denoiser Build(MlpOptions options, TeacherCard card, params long[] dataShape)
    {
        if (dataShape is not [var dimension] || card.IsConditional)
        {
            throw new ArgumentException($"mlp: found samples of the shape [{string.Join(", ", dataShape)}] and {card.Labels} classes, "
                + "expected one axis and no classes; images need another network.");
        }
        var builder = new GraphBuilder("mlp");
        var batch = Dim.Named("N");
        var x = builder.Input(Denoiser.X, ElementType.Float32, Shape.Of(batch, dimension));
        var sigma = builder.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        var denoised = EdmPreconditioning.Apply(builder, x, sigma, card.SigmaData, (scaled, noise) =>
        {
            // A product with ones repeats the column for a symbolic batch too, where Expand would need the number.
            var ones = builder.Constant(TensorData.Of([.. Enumerable.Repeat(1f, (int)dimension)], 1, dimension));
            var h = builder.Concat(1, scaled, builder.Mul(noise, ones));
            long[] widths = [2 * dimension, .. options.Hidden, dimension];
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
        card.WriteTo(model);
        return new Denoiser(model, "the MLP");
    }

    private static Value Linear(GraphBuilder builder, string name, Value x, long inputs, long outputs, long seed)
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
