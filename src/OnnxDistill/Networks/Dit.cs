using System.ComponentModel.DataAnnotations;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>Options of <see cref="Dit"/>; the defaults are DiT-S/2.</summary>
public sealed record DitOptions : IValidatableObject
{
    /// <summary>Side of a patch.</summary>
    [Range(1, 64)]
    public int PatchSize { get; init; } = 2;

    /// <summary>Width of a token.</summary>
    [Range(8, 1 << 14)]
    public int Width { get; init; } = 384;

    /// <summary>Transformer blocks.</summary>
    [Range(1, 256)]
    public int Depth { get; init; } = 12;

    /// <summary>Attention heads; they have to divide the width.</summary>
    [Range(1, 256)]
    public int Heads { get; init; } = 6;

    /// <summary>Width of the blocks' hidden layer in multiples of <see cref="Width"/>.</summary>
    [Range(0.25, 64)]
    public double MlpRatio { get; init; } = 4;

    /// <summary>Whether queries and keys are rotated by their token's row and column (Su et al. 2021, arXiv 2104.09864) instead of adding a fixed
    /// embedding of the place to the tokens.</summary>
    public bool Rotary { get; init; }

    /// <summary>Seed of the initial weights.</summary>
    public long Seed { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // Sines and cosines of rows and columns; with rotation for each head.
        if (Width % (4 * Heads) != 0 && (Rotary || Width % Heads != 0 || Width % 4 != 0))
            yield return new ValidationResult($"width: found {Width} with {Heads} heads, expected a multiple of {4 * Heads}.");
    }
}

/// <summary>
/// The diffusion transformer with adaLN-zero of Peebles and Xie 2023 (arXiv 2212.09748), wrapped by EDM's preconditioning. Names, layouts and initial
/// laws are those of the released network. Where we differ: it predicts no variance, its time is 1000 c_noise = 250 ln(sigma), of the spread that its
/// frequencies were made for, and the table of classes has its "no class" row (the last) always.
/// </summary>
public static class Dit
{
    private const int TimeWidth = 256;
    private const double TimeScale = 1000, Epsilon = 1e-6;

    private static readonly InitialWeights Initial = new(InitialLaw.XavierUniform);
    private static readonly InitialWeights Zero = new(InitialLaw.XavierUniform, 0);
    private static readonly InitialWeights Small = new(InitialLaw.Normal, 0.02);

    /// <summary>The denoiser with freshly drawn weights.</summary>
    /// <param name="options">Its sizes.</param>
    /// <param name="card">sigma_data sets the preconditioning, labels the number of classes.</param>
    /// <param name="dataShape">[C, H, W] of a sample; patches have to tile it.</param>
    /// <exception cref="ArgumentException">The sample is no such image.</exception>
    public static Denoiser Build(DitOptions options, TeacherCard card, params long[] dataShape)
    {
        ImageDenoiser.CheckSquare("dit", dataShape, 1);
        if (dataShape[1] % options.PatchSize != 0)
            throw new ArgumentException($"dit: patches of {options.PatchSize} do not tile images of {dataShape[1]} by {dataShape[2]}.");
        return ImageDenoiser.Build("dit", card, dataShape, options.Seed, (layers, x, noise, label) => Emit(layers, options, card, x, noise, label));
    }

    private static Value Emit(Layers layers, DitOptions options, TeacherCard card, Value x, Value noise, Value? label)
    {
        var b = layers.B;
        var (batch, channels, patch) = (x.Shape[0], x.Shape[1].Size, (long)options.PatchSize);
        var side = x.Shape[2].Size / patch;
        var condition = b.Silu(Embed(layers, options, card, noise, label));

        var patches = layers.Patches("x_embedder.proj", x, options.Width, patch, Initial);
        var h = b.Transpose(b.Reshape(patches, Shape.Of(batch, options.Width, side * side)), 0, 2, 1);
        if (!options.Rotary)
            h = b.Add(h, PlaceEmbedding.Table(b, side, options.Width));
        (Value Cos, Value Sin)? rotation = options.Rotary ? PlaceEmbedding.Rotation(b, side, options.Width / options.Heads) : null;
        for (var i = 0; i < options.Depth; i++)
            h = Block(layers, options, $"blocks.{i}", h, condition, rotation);

        var modulation = Modulation(layers, "final_layer.adaLN_modulation.1", condition, options.Width, 2);
        h = layers.Rows("final_layer.linear", Modulated(layers, h, modulation[0], modulation[1]), patch * patch * channels, Zero);
        var image = b.Transpose(b.Reshape(h, Shape.Of(batch, side, side, patch, patch, channels)), 0, 5, 1, 3, 2, 4);
        return b.Reshape(image, x.Shape);
    }

    private static Value Embed(Layers layers, DitOptions options, TeacherCard card, Value noise, Value? label)
    {
        var b = layers.B;
        var (sin, cos) = layers.PositionalEmbedding(b.Mul(noise, TimeScale), TimeWidth, endpoint: false);
        var time = b.Silu(layers.Linear("t_embedder.mlp.0", b.Concat(1, cos, sin), options.Width, Small));
        time = layers.Linear("t_embedder.mlp.2", time, options.Width, Small);
        if (label is null)
            return time;
        var classes = layers.Parameter("y_embedder.embedding_table.weight", Small, Small.Weight, 1, 1, card.Labels + 1, options.Width);
        return b.Add(time, b.Gather(classes, label, 0));
    }

    private static Value Block(Layers layers, DitOptions options, string name, Value x, Value condition, (Value Cos, Value Sin)? rotation)
    {
        var b = layers.B;
        using var scope = b.Scope(name);
        var m = Modulation(layers, $"{name}.adaLN_modulation.1", condition, options.Width, 6);
        var attended = Attention(layers, options, $"{name}.attn", Modulated(layers, x, m[0], m[1]), rotation);
        x = b.Add(x, b.Mul(m[2], attended));
        var hidden = Gelu(b, layers.Rows($"{name}.mlp.fc1", Modulated(layers, x, m[3], m[4]), (long)(options.Width * options.MlpRatio), Initial));
        return b.Add(x, b.Mul(m[5], layers.Rows($"{name}.mlp.fc2", hidden, options.Width, Initial)));
    }

    // Vectors [N, 1, width] of shift, scale and gate; zero at first, so that a block starts as the identity.
    private static Value[] Modulation(Layers layers, string name, Value condition, int width, int parts)
    {
        var b = layers.B;
        return [.. b.Split(layers.Linear(name, condition, parts * width, Zero), 1, [.. Enumerable.Repeat((long)width, parts)]).Select(p => b.Unsqueeze(p, 1))];
    }

    private static Value Modulated(Layers layers, Value x, Value shift, Value scale)
    {
        var b = layers.B;
        var width = x.Shape[2].Size;
        var normalized = b.LayerNormalization(x, b.Constant(TensorData.Of([.. Enumerable.Repeat(1f, (int)width)], width)), null, (float)Epsilon);
        return b.Add(b.Mul(normalized, b.Add(scale, 1)), shift);
    }

    private static Value Attention(Layers layers, DitOptions options, string name, Value x, (Value Cos, Value Sin)? rotation)
    {
        var b = layers.B;
        var (batch, tokens, width) = (x.Shape[0], x.Shape[1], x.Shape[2].Size);
        var perHead = width / options.Heads;
        var parts = b.Split(layers.Rows($"{name}.qkv", x, 3 * width, Initial), 2, width, width, width)
            .Select(part => b.Transpose(b.Reshape(part, Shape.Of(batch, tokens, options.Heads, perHead)), 0, 2, 1, 3)).ToArray();
        if (rotation is { } r)
            (parts[0], parts[1]) = (PlaceEmbedding.Rotate(b, parts[0], r), PlaceEmbedding.Rotate(b, parts[1], r));
        var weights = b.Softmax(b.MatMul(b.Mul(parts[0], 1 / Math.Sqrt(perHead)), b.TransposeLast(parts[1])));
        var mixed = b.Transpose(b.MatMul(weights, parts[2]), 0, 2, 1, 3);
        return layers.Rows($"{name}.proj", b.Reshape(mixed, x.Shape), width, Initial);
    }

    // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))), Hendrycks and Gimpel 2016 (arXiv 1606.08415).
    private static Value Gelu(GraphBuilder b, Value x) => b.Mul(b.Mul(x, 0.5),
        b.Add(b.Tanh(b.Mul(b.Mul(x, b.Add(b.Mul(b.Square(x), 0.044715), 1)), Math.Sqrt(2 / Math.PI))), 1));
}
