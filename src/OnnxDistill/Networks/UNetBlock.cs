using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks;

/// <summary>What all blocks of a U-Net have in common.</summary>
internal sealed record UNetBlockSettings
{
    /// <summary>Channels of an attention head; 0 for one head.</summary>
    public int ChannelsPerHead { get; init; }

    /// <summary>Factor on each residual sum.</summary>
    public double SkipScale { get; init; } = 1;

    /// <summary>Added to the variances of the normalisations.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Filter of up- and downsampling.</summary>
    public IReadOnlyList<double> ResampleFilter { get; init; } = [1, 1];

    /// <summary>Whether a resampling block has a 1x1 convolution on its skip path even where the width stays.</summary>
    public bool ResampleProjection { get; init; }

    /// <summary>Share of the numbers before the second convolution that is dropped in training.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the embedding scales and shifts the second normalisation's result, or is added before it.</summary>
    public bool AdaptiveScale { get; init; } = true;

    /// <summary>Start of most layers.</summary>
    public InitialWeights Initial { get; init; }

    /// <summary>Start of the last layer of each residual branch.</summary>
    public InitialWeights InitialZero { get; init; }

    /// <summary>Start of the attention's queries, keys and values.</summary>
    public InitialWeights InitialAttention { get; init; }
}

/// <summary>A place in a U-Net where the resolution changes.</summary>
internal enum Resample
{
    None,
    Up,
    Down,
}

/// <summary>
/// The residual block that DDPM++, NCSN++ and ADM share, with optional resampling and self-attention (Karras et al. 2022, arXiv 2206.00364,
/// appendix F and the released UNetBlock).
/// </summary>
internal sealed class UNetBlock(Layers layers, UNetBlockSettings settings)
{
    /// <summary>Emits a block: x [N, C, H, W] and the embedding [N, E] to [N, outputs, H', W'].</summary>
    public Value Apply(string name, Value x, Value embedding, int outputs, Resample resample = Resample.None, bool attention = false)
    {
        var b = layers.B;
        var h = Resampled(b.Silu(layers.GroupNorm($"{name}.norm0", x, settings.Epsilon)), resample);
        h = layers.Conv($"{name}.conv0", h, outputs, 3, settings.Initial);
        h = Condition(name, h, embedding, outputs);
        h = layers.Conv($"{name}.conv1", DropoutNodes.Emit(b, b.Silu(h), settings.Dropout), outputs, 3, settings.InitialZero);

        var skip = Resampled(x, resample);
        if (outputs != x.Shape[1].Size || (settings.ResampleProjection && resample != Resample.None))
            skip = layers.Conv($"{name}.skip", skip, outputs, 1, settings.Initial);
        h = Scaled(b.Add(h, skip));
        return attention ? Scaled(b.Add(Attention(name, h), h)) : h;
    }

    private Value Condition(string name, Value h, Value embedding, int outputs)
    {
        var b = layers.B;
        var affine = layers.Linear($"{name}.affine", embedding, outputs * (settings.AdaptiveScale ? 2 : 1), settings.Initial);
        if (!settings.AdaptiveScale)
            return layers.GroupNorm($"{name}.norm1", b.Add(h, b.Unsqueeze(affine, 2, 3)), settings.Epsilon);
        var parts = b.Split(affine, 1, outputs, outputs);
        var scale = b.Add(b.Unsqueeze(parts[0], 2, 3), 1);
        return b.Add(b.Mul(layers.GroupNorm($"{name}.norm1", h, settings.Epsilon), scale), b.Unsqueeze(parts[1], 2, 3));
    }

    // softmax(Q'K / sqrt(c)) over the keys, for each head; queries, keys and values alternate along the channels of one convolution.
    private Value Attention(string name, Value x)
    {
        var b = layers.B;
        using var scope = b.Scope($"{name}.attention");
        var (batch, channels, places) = (x.Shape[0], x.Shape[1].Size, x.Shape[2].Size * x.Shape[3].Size);
        if (settings.ChannelsPerHead > 0 && channels % settings.ChannelsPerHead != 0)
            throw new ArgumentException($"'{name}' attends over {channels} channels, which heads of {settings.ChannelsPerHead} do not divide. Choose other widths or heads.");
        var heads = settings.ChannelsPerHead == 0 ? 1 : channels / settings.ChannelsPerHead;
        var width = channels / heads;
        var qkv = layers.Conv($"{name}.qkv", layers.GroupNorm($"{name}.norm2", x, settings.Epsilon), 3 * channels, 1, settings.InitialAttention);
        var parts = b.Split(b.Reshape(qkv, Shape.Of(batch, heads, width, 3, places)), 3, 1, 1, 1)
            .Select(part => b.Reshape(part, Shape.Of(batch, heads, width, places))).ToArray();
        var weights = b.Softmax(b.MatMul(b.TransposeLast(parts[0]), b.Mul(parts[1], 1 / Math.Sqrt(width))));
        var mixed = b.MatMul(parts[2], b.TransposeLast(weights));
        return layers.Conv($"{name}.proj", b.Reshape(mixed, x.Shape), channels, 1, settings.InitialZero);
    }

    private Value Resampled(Value x, Resample resample) => resample switch
    {
        Resample.Up => layers.Up(x, settings.ResampleFilter),
        Resample.Down => layers.Down(x, settings.ResampleFilter),
        _ => x,
    };

    private Value Scaled(Value x) => settings.SkipScale == 1 ? x : layers.B.Mul(x, settings.SkipScale);
}
