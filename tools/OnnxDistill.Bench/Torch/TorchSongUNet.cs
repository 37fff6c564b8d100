using OnnxDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace OnnxDistill.Bench;

/// <summary>DDPM++ (see OnnxDistill.Networks.SongUNet): the released structure, with pooling and repetition where its code filters by [1, 1].</summary>
internal sealed class TorchSongUNet : ITorchNetwork
{
    private readonly (Tensor Weight, Tensor Bias) _map0, _map1, _first, _last, _lastNorm;
    private readonly Tensor _frequencies;
    private readonly List<TorchUNetBlock> _encoder = [], _decoder = [];

    public TorchSongUNet(TorchParameters p, SongUNetOptions options)
    {
        if (options is not { Embedding: NoiseEmbedding.Positional, Encoder: EncoderKind.Standard, ResampleFilter: [1, 1], NoiseMultiplier: 1 })
            throw new NotSupportedException("The libtorch side knows DDPM++ alone.");
        var half = options.Channels / 2;
        _frequencies = (arange(half, dtype: ScalarType.Float32) * (Math.Log(1e-4) / (half - 1))).exp();
        (_map0, _map1) = (p.Affine("map_layer0"), p.Affine("map_layer1"));
        // Blocks in the file's order, which is that of the run.
        const string mark = ".conv0.weight";
        foreach (var name in p.Names.Where(n => n.EndsWith(mark, StringComparison.Ordinal)).Select(n => n[..^mark.Length]).ToList())
            (name.StartsWith("enc.", StringComparison.Ordinal) ? _encoder : _decoder).Add(new TorchUNetBlock(p, name));
        (Tensor, Tensor) Only(string part, string what) => p.Affine(p.Names.Single(n => n.StartsWith(part, StringComparison.Ordinal)
            && n.EndsWith($"_{what}.weight", StringComparison.Ordinal))[..^".weight".Length]);
        (_first, _lastNorm, _last) = (Only("enc.", "conv"), Only("dec.", "aux_norm"), Only("dec.", "aux_conv"));
        p.RequireAllTaken();
    }

    public Tensor Forward(Tensor x, Tensor noise, Tensor? label)
    {
        var angles = noise.reshape(-1, 1) * _frequencies;
        var embedding = silu(linear(cat([angles.sin(), angles.cos()], 1), _map0.Weight, _map0.Bias));
        embedding = silu(linear(embedding, _map1.Weight, _map1.Bias));

        var h = conv2d(x, _first.Weight, _first.Bias, padding: [1, 1]);
        var skips = new Stack<Tensor>([h]);
        foreach (var block in _encoder)
            skips.Push(h = block.Forward(h, embedding));
        foreach (var block in _decoder)
            h = block.Forward(block.TakesSkip ? cat([h, skips.Pop()], 1) : h, embedding);
        return conv2d(silu(TorchUNetBlock.Normalize(h, _lastNorm)), _last.Weight, _last.Bias, padding: [1, 1]);
    }
}
