using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>How a network sees the noise level.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NoiseEmbedding>))]
public enum NoiseEmbedding
{
    /// <summary>Sines of fixed, falling frequencies (DDPM++).</summary>
    [JsonStringEnumMemberName("positional")]
    Positional,
    /// <summary>Sines of random frequencies (NCSN++).</summary>
    [JsonStringEnumMemberName("fourier")]
    Fourier,
}

/// <summary>How an encoder sees its input at lower resolutions.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EncoderKind>))]
public enum EncoderKind
{
    /// <summary>Through its blocks only (DDPM++).</summary>
    [JsonStringEnumMemberName("standard")]
    Standard,
    /// <summary>Also by convolutions of the downsampled input, added to the blocks' results (NCSN++).</summary>
    [JsonStringEnumMemberName("residual")]
    Residual,
}

/// <summary>Options of <see cref="SongUNet"/>; the defaults are EDM's DDPM++ for CIFAR-10 (55.7 million parameters).</summary>
public sealed record SongUNetOptions
{
    /// <summary>Channels at the highest resolution.</summary>
    [Range(4, 4096)]
    public int Channels { get; init; } = 128;

    /// <summary>Channels at each resolution, from the highest, in multiples of <see cref="Channels"/>.</summary>
    [MinLength(1)]
    public int[] Multipliers { get; init; } = [2, 2, 2];

    /// <summary>Width of the embedding in multiples of <see cref="Channels"/>.</summary>
    [Range(1, 64)]
    public int EmbeddingMultiplier { get; init; } = 4;

    /// <summary>Residual blocks at each resolution.</summary>
    [Range(1, 64)]
    public int Blocks { get; init; } = 4;

    /// <summary>Resolutions with self-attention.</summary>
    public int[] AttentionResolutions { get; init; } = [16];

    /// <summary>How the noise level comes in.</summary>
    public NoiseEmbedding Embedding { get; init; }

    /// <summary>Width of the noise level's embedding in multiples of <see cref="Channels"/>: 1 for DDPM++, 2 for NCSN++.</summary>
    [Range(1, 64)]
    public int NoiseMultiplier { get; init; } = 1;

    /// <summary>How the encoder sees its input.</summary>
    public EncoderKind Encoder { get; init; }

    /// <summary>Filter of up- and downsampling: [1, 1] for DDPM++, [1, 3, 3, 1] for NCSN++.</summary>
    [MinLength(2)]
    public double[] ResampleFilter { get; init; } = [1, 1];

    /// <summary>Share of each block's inner numbers that is dropped in training; EDM trained with 0.13.</summary>
    [Range(0, 0.99)]
    public double Dropout { get; init; }

    /// <summary>Whether it can be told how its images were augmented, by EDM's nine labels; without labels, and in its file, it takes images as they are.</summary>
    public bool Augment { get; init; }

    /// <summary>Seed of the initial weights.</summary>
    public long Seed { get; init; }
}

/// <summary>
/// DDPM++ and NCSN++ of Song et al. 2021 (arXiv 2011.13456) as EDM has them (Karras et al. 2022, arXiv 2206.00364, appendix F), wrapped by EDM's
/// preconditioning. Names, layouts and initial laws are those of the released networks.
/// </summary>
public static class SongUNet
{
    private static readonly InitialWeights Initial = new(InitialLaw.XavierUniform);
    private static readonly InitialWeights InitialZero = new(InitialLaw.XavierUniform, 1e-5);

    /// <summary>The denoiser with freshly drawn weights.</summary>
    /// <param name="options">Its sizes.</param>
    /// <param name="card">sigma_data sets the preconditioning, labels the number of classes.</param>
    /// <param name="dataShape">[C, H, W] of a sample; the resolution has to halve evenly between the levels.</param>
    /// <exception cref="ArgumentException">The sample is no such image.</exception>
    public static Denoiser Build(SongUNetOptions options, TeacherCard card, params long[] dataShape)
    {
        ImageDenoiser.CheckSquare("song-unet", dataShape, options.Multipliers.Length);
        return ImageDenoiser.Build("song-unet", card, dataShape, options.Seed, (layers, x, noise, label) => Emit(layers, options, card.Labels, x, noise, label, dataShape[0]));
    }

    /// <summary>The raw network: images [N, C, H, W] and c_noise [N, 1] to [N, outputs, H, W].</summary>
    internal static Value Emit(Layers layers, SongUNetOptions options, int labels, Value x, Value noise, Value? label, long outputs)
    {
        var b = layers.B;
        var embedding = Embed(layers, options, labels, noise, label);
        var block = new UNetBlock(layers, new UNetBlockSettings
        {
            Dropout = options.Dropout,
            SkipScale = Math.Sqrt(0.5),
            Epsilon = 1e-6,
            ResampleFilter = options.ResampleFilter,
            ResampleProjection = true,
            AdaptiveScale = false,
            Initial = Initial,
            InitialZero = InitialZero,
            InitialAttention = Initial with { Weight = Math.Sqrt(0.2) },
        });
        bool Attends(int level) => options.AttentionResolutions.Contains((int)x.Shape[2].Size >> level);
        var input = x;
        var h = UNet.Emit(layers, block, new UNetLayout([.. options.Multipliers.Select(m => m * options.Channels)], options.Blocks)
        {
            FirstWidth = options.Channels,
            Initial = Initial,
            EncoderAttends = Attends,
            DecoderAttends = (level, i) => i == options.Blocks && Attends(level),
            AfterDown = options.Encoder == EncoderKind.Standard ? null : (level, down) =>
            {
                input = DownConv(layers, UNet.Name(x, "enc", level, "aux_residual"), input, down.Shape[1].Size, options.ResampleFilter);
                return input = b.Mul(b.Add(down, input), Math.Sqrt(0.5));
            },
        }, x, embedding);
        var normalized = layers.GroupNorm(UNet.Name(x, "dec", 0, "aux_norm"), h, 1e-6);
        return layers.Conv(UNet.Name(x, "dec", 0, "aux_conv"), b.Silu(normalized), outputs, 3, InitialZero);
    }

    private static Value Embed(Layers layers, SongUNetOptions options, int labels, Value noise, Value? label)
    {
        var (b, width) = (layers.B, options.Channels * options.NoiseMultiplier);
        var (sin, cos) = options.Embedding == NoiseEmbedding.Positional
            ? layers.PositionalEmbedding(noise, width, endpoint: true) : layers.FourierEmbedding(noise, width);
        var embedding = b.Concat(1, sin, cos);
        if (label is not null)
        {
            var classes = b.Mul(layers.OneHot(label, labels), Math.Sqrt(labels));
            embedding = b.Add(embedding, layers.Linear("map_label", classes, width, Initial));
        }
        if (options.Augment)
            embedding = layers.AddAugment(embedding, noise, Initial);
        embedding = b.Silu(layers.Linear("map_layer0", embedding, options.Channels * options.EmbeddingMultiplier, Initial));
        return b.Silu(layers.Linear("map_layer1", embedding, options.Channels * options.EmbeddingMultiplier, Initial));
    }

    // As released: the convolution first, padded for both, then the filter over every second place of its result.
    private static Value DownConv(Layers layers, string name, Value x, long outputs, double[] filter)
    {
        var b = layers.B;
        using var scope = b.Scope(name);
        var fanIn = x.Shape[1].Size * 9;
        var pad = 1 + Layers.Margin(filter);
        var weight = layers.Parameter($"{name}.weight", Initial, Initial.Weight, fanIn, outputs * 9, outputs, x.Shape[1].Size, 3, 3);
        var wide = b.Conv(x, weight, null, new ConvOptions { Pads = [pad, pad, pad, pad] });
        var low = layers.Down(wide, filter, padded: true);
        return b.Add(low, b.Unsqueeze(layers.Parameter($"{name}.bias", Initial, Initial.Bias, fanIn, outputs * 9, outputs), 1, 2));
    }
}
