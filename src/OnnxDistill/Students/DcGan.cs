using System.ComponentModel.DataAnnotations;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;

namespace OnnxDistill.Students;

/// <summary>Options of <see cref="DcGan"/>.</summary>
public sealed record DcGanOptions
{
    /// <summary>Numbers of a latent.</summary>
    [Range(1, 1 << 16)]
    public int Latent { get; init; } = 64;

    /// <summary>Channels at the full resolution; each lower one has twice as many.</summary>
    [Range(4, 1 << 12)]
    public int Width { get; init; } = 32;

    /// <summary>Most channels of any resolution.</summary>
    [Range(4, 1 << 14)]
    public int MostWidth { get; init; } = 256;

    /// <summary>Resolutions below the full one; 0 for as many as halve evenly down to a side of 4 or more.</summary>
    [Range(0, 10)]
    public int Levels { get; init; }

    /// <summary>Convolutions at each resolution.</summary>
    [Range(1, 8)]
    public int Blocks { get; init; } = 1;

    /// <summary>Seed of the initial weights.</summary>
    public long Seed { get; init; }
}

/// <summary>
/// A generator of images after DCGAN (Radford et al. 2016, arXiv 1511.06434): latent, and class embedding, to a small feature map by a linear layer, then resolution by
/// resolution repeated places, 3x3 convolution, normalisation, activation; tanh at the end.
/// Where we differ: repeated places and a convolution for the strided transposed one (no checkerboards: Odena et al. 2016), group normalisation for batch
/// normalisation (samples of a batch do not see each other), SiLU for ReLU.
/// </summary>
public static class DcGan
{
    private const double Epsilon = 1e-5;
    private const int LeastSide = 4;

    /// <summary>Emits the generator.</summary>
    /// <exception cref="ArgumentException">The samples are no square image, or do not halve that often.</exception>
    internal static Value Build(DcGanOptions options, GraphBuilder b, Value? label, TeacherCard card, long[] dataShape)
    {
        var levels = options.Levels > 0 ? options.Levels : Levels(dataShape);
        ImageDenoiser.CheckSquare("dcgan", dataShape, levels + 1);
        var initial = new InitialWeights(InitialLaw.KaimingNormal);
        var layers = new Layers(b, options.Seed);
        var h = b.Input(Generator.Latent, ElementType.Float32, Shape.Of(Dim.Named(FreeBatch.Symbol), options.Latent));
        if (label is not null)
        {
            // Entries of unit variance, as the latent's.
            var embedding = layers.Linear("map_label", b.Mul(layers.OneHot(label, card.Labels), Math.Sqrt(card.Labels)), options.Latent, initial, bias: false);
            h = b.Concat(1, h, embedding);
        }
        long Width(int level) => Math.Min((long)options.Width << level, options.MostWidth);
        var side = dataShape[1] >> levels;
        h = b.Reshape(layers.Linear("start", h, Width(levels) * side * side, initial), Shape.Of(h.Shape[0], Width(levels), side, side));
        for (var level = levels; level >= 0; level--)
        {
            var name = $"{side << (levels - level)}x{side << (levels - level)}";
            for (var block = 0; block < options.Blocks; block++)
            {
                h = b.Silu(layers.GroupNorm($"{name}.norm{block}", h, Epsilon));
                if (block == 0 && level < levels)
                    h = layers.Up(h, [1, 1]);
                h = layers.Conv($"{name}.conv{block}", h, Width(level), 3, initial);
            }
        }
        return b.Tanh(layers.Conv("image", b.Silu(layers.GroupNorm("image.norm", h, Epsilon)), dataShape[0], 3, initial));
    }

    private static int Levels(long[] dataShape)
    {
        var levels = 0;
        for (var side = dataShape.Length == 3 ? dataShape[1] : 0; side % 2 == 0 && side / 2 >= LeastSide; side /= 2)
            levels++;
        return levels;
    }
}
