using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace OnnxDistill.Bench;

/// <summary>
/// The diffusion transformer of the shared data, written from its ONNX graph: two convolutions with SiLU and group normalisation, 2x2 patches, blocks
/// of attention (normalised queries and keys, rotary embedding) and gated linear units, modulated by time and class.
/// </summary>
internal sealed class TorchDit : ITorchNetwork
{
    private const int Channels = 32, Grid = 16, Patch = 2, Tokens = Grid * Grid, Width = 64, Heads = 2, Frequencies = 128, Blocks = 3;

    private readonly (Tensor Weight, Tensor Bias, Tensor Scale, Tensor Shift)[] _convolutions;
    private readonly Tensor _patchWeight, _patchBias, _classes, _cos, _sin, _outputWeight, _outputBias;
    private readonly (Tensor Weight, Tensor Bias) _time0, _time2, _finalModulation;
    private readonly Tensor _frequencies = (arange(Frequencies, dtype: ScalarType.Float32) * (-Math.Log(10000) / Frequencies)).exp();
    private readonly Block[] _blocks;

    // Weights of products have the exporter's numbers, in the order in which the graph uses them.
    public TorchDit(TorchParameters p)
    {
        (Tensor, Tensor, Tensor, Tensor) Convolution(int layer, string scale, string shift) => (p.Take($"model.init_conv_seq.{layer}.weight"),
            p.Take($"model.init_conv_seq.{layer}.bias"), p.Take(scale, Channels), p.Take(shift, Channels));
        _convolutions = [Convolution(0, "onnx::Mul_793", "onnx::Add_794"), Convolution(3, "onnx::Mul_795", "onnx::Add_796")];
        (_patchWeight, _patchBias) = (p.TakeTurned("onnx::MatMul_799"), p.Take("model.x_embedder.bias"));
        (_time0, _time2) = (p.Affine("model.t_embedder.mlp.0"), p.Affine("model.t_embedder.mlp.2"));
        _classes = p.Take("model.y_embedder.embedding_table.weight");
        (_sin, _cos) = (p.Take("onnx::Mul_809"), p.Take("onnx::Mul_810"));
        _blocks = [.. Enumerable.Range(0, Blocks).Select(i =>
        {
            Tensor Product(int place) => p.TakeTurned($"onnx::MatMul_{800 + (15 * i) + place}");
            var name = $"model.layers.{i}";
            return new Block(p.Affine($"{name}.adaLN_modulation.1"), p.Affine($"{name}.attention_norm"), p.Affine($"{name}.ffn_norm"),
                p.Affine($"{name}.attention.q_norm"), p.Affine($"{name}.attention.k_norm"),
                Product(0), Product(1), Product(2), Product(11), Product(12), Product(13), Product(14));
        })];
        _finalModulation = p.Affine("model.final_layer.adaLN_modulation.1");
        (_outputWeight, _outputBias) = (p.TakeTurned("onnx::MatMul_845"), p.Take("model.final_layer.linear.bias"));
        p.RequireAllTaken();
    }

    public Tensor Forward(Tensor x, Tensor noise, Tensor? label)
    {
        foreach (var (weight, bias, scale, shift) in _convolutions)
            x = group_norm(silu(conv2d(x, weight, bias, padding: [2, 2])), Channels, scale, shift);
        x = x.reshape(-1, Channels, Grid, Patch, Grid, Patch).permute(0, 2, 4, 1, 3, 5).reshape(-1, Tokens, Channels * Patch * Patch);
        x = linear(x, _patchWeight, _patchBias);

        var angles = noise.reshape(-1, 1) * _frequencies;
        var time = linear(silu(linear(cat([angles.cos(), angles.sin()], 1), _time0.Weight, _time0.Bias)), _time2.Weight, _time2.Bias);
        var condition = silu(time + _classes.index_select(0, label!)); // the teacher is conditional
        foreach (var block in _blocks)
            x = block.Forward(x, condition, _cos, _sin);

        var modulation = linear(condition, _finalModulation.Weight, _finalModulation.Bias).unsqueeze(1).chunk(2, 2);
        x = linear(Modulate(layer_norm(x, [Width], eps: 1e-6), modulation[0], modulation[1]), _outputWeight, _outputBias);
        return x.reshape(-1, Grid, Grid, Patch, Patch).permute(0, 1, 3, 2, 4).reshape(-1, 1, Grid * Patch, Grid * Patch);
    }

    private static Tensor Modulate(Tensor x, Tensor shift, Tensor scale) => addcmul(shift, x, scale + 1, 1);

    private sealed record Block((Tensor Weight, Tensor Bias) Modulation, (Tensor Weight, Tensor Bias) AttentionNorm, (Tensor Weight, Tensor Bias) FeedForwardNorm,
        (Tensor Weight, Tensor Bias) QueryNorm, (Tensor Weight, Tensor Bias) KeyNorm, Tensor Query, Tensor Key, Tensor Value, Tensor Output, Tensor Gate, Tensor Up,
        Tensor Down)
    {
        public Tensor Forward(Tensor x, Tensor condition, Tensor cos, Tensor sin)
        {
            var m = linear(condition, Modulation.Weight, Modulation.Bias).unsqueeze(1).chunk(6, 2);
            x = addcmul(x, m[2], Attend(Modulate(layer_norm(x, [Width], AttentionNorm.Weight, AttentionNorm.Bias), m[0], m[1]), cos, sin), 1);
            var h = Modulate(layer_norm(x, [Width], FeedForwardNorm.Weight, FeedForwardNorm.Bias), m[3], m[4]);
            return addcmul(x, m[5], linear(silu(linear(h, Gate)) * linear(h, Up), Down), 1);
        }

        private Tensor Attend(Tensor x, Tensor cos, Tensor sin)
        {
            Tensor Split(Tensor t) => t.reshape(-1, Tokens, Heads, Width / Heads);
            var q = Rotate(Split(layer_norm(linear(x, Query), [Width], QueryNorm.Weight, QueryNorm.Bias)), cos, sin);
            var k = Rotate(Split(layer_norm(linear(x, Key), [Width], KeyNorm.Weight, KeyNorm.Bias)), cos, sin);
            var v = Split(linear(x, Value)).transpose(1, 2);
            return linear(scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, Tokens, Width), Output);
        }

        // Rotary embedding: x cos + [-second half, first half] sin; heads to the front.
        private static Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
        {
            var halves = x.chunk(2, 3);
            return addcmul(x * cos, cat([halves[1].neg(), halves[0]], 3), sin, 1).transpose(1, 2);
        }
    }
}
