using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks;

/// <summary>Where a U-Net of residual blocks has what.</summary>
/// <param name="Widths">Channels at each resolution, from the highest.</param>
/// <param name="Blocks">Blocks at each resolution of the encoder; the decoder has one more.</param>
internal sealed record UNetLayout(int[] Widths, int Blocks)
{
    /// <summary>Channels of the first convolution.</summary>
    public required int FirstWidth { get; init; }

    /// <summary>Start of the first convolution.</summary>
    public required InitialWeights Initial { get; init; }

    /// <summary>Whether the encoder's blocks of a level attend.</summary>
    public required Func<int, bool> EncoderAttends { get; init; }

    /// <summary>Whether a block of the decoder, by level and index, attends.</summary>
    public required Func<int, int, bool> DecoderAttends { get; init; }

    /// <summary>What else happens to the image that arrives at a lower level, by level; null for nothing.</summary>
    public Func<int, Value, Value>? AfterDown { get; init; }
}

/// <summary>The way through a U-Net that DDPM++, NCSN++ and ADM share; names are those of the released code.</summary>
internal static class UNet
{
    /// <summary>Emits encoder and decoder: x [N, C, H, W] and the embedding [N, E] to [N, the first width, H, W], before the last normalisation.</summary>
    public static Value Emit(Layers layers, UNetBlock block, UNetLayout layout, Value x, Value embedding)
    {
        var (widths, last) = (layout.Widths, layout.Widths.Length - 1);

        // Encoder: every result is kept for the decoder.
        var h = layers.Conv(Name(x, "enc", 0, "conv"), x, layout.FirstWidth, 3, layout.Initial);
        var skips = new Stack<Value>([h]);
        for (var level = 0; level <= last; level++)
        {
            if (level > 0)
            {
                h = block.Apply(Name(x, "enc", level, "down"), h, embedding, (int)h.Shape[1].Size, Resample.Down);
                skips.Push(h = layout.AfterDown?.Invoke(level, h) ?? h);
            }
            for (var i = 0; i < layout.Blocks; i++)
                skips.Push(h = block.Apply(Name(x, "enc", level, $"block{i}"), h, embedding, widths[level], attention: layout.EncoderAttends(level)));
        }

        // Decoder: one block more a level, each beside what the encoder left.
        for (var level = last; level >= 0; level--)
        {
            var width = (int)h.Shape[1].Size;
            if (level == last)
            {
                h = block.Apply(Name(x, "dec", level, "in0"), h, embedding, width, attention: true);
                h = block.Apply(Name(x, "dec", level, "in1"), h, embedding, width);
            }
            else
            {
                h = block.Apply(Name(x, "dec", level, "up"), h, embedding, width, Resample.Up);
            }
            for (var i = 0; i <= layout.Blocks; i++)
            {
                var beside = layers.B.Concat(1, h, skips.Pop());
                h = block.Apply(Name(x, "dec", level, $"block{i}"), beside, embedding, widths[level], attention: layout.DecoderAttends(level, i));
            }
        }
        return h;
    }

    /// <summary>A module's name: part, resolution and what it is.</summary>
    public static string Name(Value image, string part, int level, string what) =>
        $"{part}.{image.Shape[2].Size >> level}x{image.Shape[3].Size >> level}_{what}";
}
