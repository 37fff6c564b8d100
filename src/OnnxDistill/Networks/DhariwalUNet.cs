using System.ComponentModel.DataAnnotations;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>Options of <see cref="DhariwalUNet"/>; the defaults are EDM's ADM for ImageNet-64 (296 million parameters).</summary>
public sealed record DhariwalUNetOptions
{
    /// <summary>Channels at the highest resolution, over the first multiplier.</summary>
    [Range(4, 4096)]
    public int Channels { get; init; } = 192;

    /// <summary>Channels at each resolution, from the highest, in multiples of <see cref="Channels"/>.</summary>
    [MinLength(1)]
    public int[] Multipliers { get; init; } = [1, 2, 3, 4];

    /// <summary>Width of the embedding in multiples of <see cref="Channels"/>.</summary>
    [Range(1, 64)]
    public int EmbeddingMultiplier { get; init; } = 4;

    /// <summary>Residual blocks at each resolution.</summary>
    [Range(1, 64)]
    public int Blocks { get; init; } = 3;

    /// <summary>Resolutions with self-attention.</summary>
    public int[] AttentionResolutions { get; init; } = [32, 16, 8];

    /// <summary>Channels of an attention head; widths that attend have to be multiples of it.</summary>
    [Range(1, 4096)]
    public int ChannelsPerHead { get; init; } = 64;

    /// <summary>Share of each block's inner numbers that is dropped in training; EDM trained with 0.1.</summary>
    [Range(0, 0.99)]
    public double Dropout { get; init; }

    /// <summary>Whether it can be told how its images were augmented, by EDM's nine labels (EDM did not augment ImageNet); without labels, and in its file, it takes images as they are.</summary>
    public bool Augment { get; init; }

    /// <summary>Seed of the initial weights.</summary>
    public long Seed { get; init; }
}

/// <summary>
/// ADM, the U-Net of Dhariwal and Nichol 2021 (arXiv 2105.05233), as EDM has it (Karras et al. 2022, arXiv 2206.00364, appendix F), wrapped by EDM's
/// preconditioning. Names, layouts and initial laws are those of the released network.
/// </summary>
public static class DhariwalUNet
{
    private static readonly InitialWeights Initial = new(InitialLaw.KaimingUniform, Math.Sqrt(1.0 / 3), Math.Sqrt(1.0 / 3));
    private static readonly InitialWeights InitialZero = new(InitialLaw.KaimingUniform, 0);

    /// <summary>The denoiser with freshly drawn weights.</summary>
    /// <param name="options">Its sizes.</param>
    /// <param name="card">sigma_data sets the preconditioning, labels the number of classes.</param>
    /// <param name="dataShape">[C, H, W] of a sample; the resolution has to halve evenly between the levels.</param>
    /// <exception cref="ArgumentException">The sample is no such image, or a width that attends is no multiple of a head's.</exception>
    public static Denoiser Build(DhariwalUNetOptions options, TeacherCard card, params long[] dataShape)
    {
        ImageDenoiser.CheckSquare("dhariwal-unet", dataShape, options.Multipliers.Length);
        return ImageDenoiser.Build("dhariwal-unet", card, dataShape, options.Seed, (layers, x, noise, label) => Emit(layers, options, card, x, noise, label));
    }

    private static Value Emit(Layers layers, DhariwalUNetOptions options, TeacherCard card, Value x, Value noise, Value? label)
    {
        var embedding = Embed(layers, options, card, noise, label);
        var block = new UNetBlock(layers, new UNetBlockSettings
        {
            Dropout = options.Dropout,
            ChannelsPerHead = options.ChannelsPerHead,
            Initial = Initial,
            InitialZero = InitialZero,
            InitialAttention = Initial,
        });
        bool Attends(int level) => options.AttentionResolutions.Contains((int)x.Shape[2].Size >> level);
        int[] widths = [.. options.Multipliers.Select(m => m * options.Channels)];
        var h = UNet.Emit(layers, block, new UNetLayout(widths, options.Blocks)
        {
            FirstWidth = widths[0],
            Initial = Initial,
            EncoderAttends = Attends,
            DecoderAttends = (level, _) => Attends(level),
        }, x, embedding);
        return layers.Conv("out_conv", layers.B.Silu(layers.GroupNorm("out_norm", h, 1e-5)), x.Shape[1].Size, 3, InitialZero);
    }

    private static Value Embed(Layers layers, DhariwalUNetOptions options, TeacherCard card, Value noise, Value? label)
    {
        var (b, width) = (layers.B, options.Channels * options.EmbeddingMultiplier);
        var (sin, cos) = layers.PositionalEmbedding(noise, options.Channels, endpoint: false);
        var level = b.Concat(1, cos, sin);
        if (options.Augment)
            level = layers.AddAugment(level, noise, InitialZero);
        var embedding = b.Silu(layers.Linear("map_layer0", level, width, Initial));
        embedding = layers.Linear("map_layer1", embedding, width, Initial);
        if (label is not null)
        {
            var classes = new InitialWeights(InitialLaw.KaimingNormal, Math.Sqrt(card.Labels));
            embedding = b.Add(embedding, layers.Linear("map_label", layers.OneHot(label, card.Labels), width, classes, bias: false));
        }
        return b.Silu(embedding);
    }
}
