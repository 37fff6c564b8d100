using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace OnnxDistill.Bench;

/// <summary>DDPM++'s residual block on libtorch, with optional resampling and self-attention; what it has follows from its parameters.</summary>
internal sealed class TorchUNetBlock
{
    private const double Epsilon = 1e-6;

    private static readonly double SkipScale = Math.Sqrt(0.5);

    private readonly (Tensor Weight, Tensor Bias) _norm0, _conv0, _affine, _norm1, _conv1;
    private readonly (Tensor Weight, Tensor Bias)? _skip, _norm2, _qkv, _projection;
    private readonly bool _up, _down;

    public TorchUNetBlock(TorchParameters p, string name)
    {
        (Tensor, Tensor) Layer(string part) => p.Affine($"{name}.{part}");
        (Tensor, Tensor)? Optional(string part) => p.Names.Contains($"{name}.{part}.weight") ? Layer(part) : null;
        (_norm0, _conv0, _affine, _norm1, _conv1) = (Layer("norm0"), Layer("conv0"), Layer("affine"), Layer("norm1"), Layer("conv1"));
        (_skip, _norm2, _qkv, _projection) = (Optional("skip"), Optional("norm2"), Optional("qkv"), Optional("proj"));
        (_up, _down) = (name.EndsWith("_up", StringComparison.Ordinal), name.EndsWith("_down", StringComparison.Ordinal));
        TakesSkip = name.StartsWith("dec.", StringComparison.Ordinal) && name.Contains("_block", StringComparison.Ordinal);
    }

    /// <summary>Whether what the encoder left is joined to its input.</summary>
    public bool TakesSkip { get; }

    public Tensor Forward(Tensor x, Tensor embedding)
    {
        var h = Convolve(Resampled(silu(Normalize(x, _norm0))), _conv0, 1);
        h = h + linear(embedding, _affine.Weight, _affine.Bias).unsqueeze(2).unsqueeze(3);
        h = Convolve(silu(Normalize(h, _norm1)), _conv1, 1);
        var skip = Resampled(x);
        if (_skip is { } projection)
            skip = Convolve(skip, projection, 0);
        h = (h + skip) * SkipScale;
        return _qkv is { } qkv ? (Attend(h, qkv) + h) * SkipScale : h;
    }

    /// <summary>Group normalisation with as many groups as leave each at least four channels, 32 at most.</summary>
    public static Tensor Normalize(Tensor x, (Tensor Weight, Tensor Bias) layer) =>
        group_norm(x, Math.Min(32, x.shape[1] / 4), layer.Weight, layer.Bias, Epsilon);

    private static Tensor Convolve(Tensor x, (Tensor Weight, Tensor Bias) layer, long pad) => conv2d(x, layer.Weight, layer.Bias, padding: [pad, pad]);

    private Tensor Resampled(Tensor x) => _up ? interpolate(x, scale_factor: [2, 2]) : _down ? avg_pool2d(x, 2) : x;

    // Queries, keys and values alternate along the channels of one convolution.
    private Tensor Attend(Tensor x, (Tensor Weight, Tensor Bias) qkv)
    {
        var (n, c, places) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3]);
        var parts = Convolve(Normalize(x, _norm2!.Value), qkv, 0).reshape(n, 1, c, 3, places).unbind(3).Select(t => t.transpose(2, 3)).ToArray(); // norm2 comes with qkv
        var mixed = scaled_dot_product_attention(parts[0], parts[1], parts[2]).transpose(2, 3).reshape(x.shape);
        return Convolve(mixed, _projection!.Value, 0); // and so does proj
    }
}
