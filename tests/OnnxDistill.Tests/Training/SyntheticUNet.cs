using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Tests.Training;

/// <summary>
/// A denoiser of the size and shape of the published U-Nets with random weights, to measure how long graphs take to build: residual blocks of
/// group normalisation (as exporters write it: InstanceNormalization between two Reshapes), SiLU, 3x3 convolutions and a noise embedding;
/// attention at the lowest resolution; skip connections; means for going down and repetition for going up.
/// </summary>
internal sealed class SyntheticUNet
{
    private const int Groups = 16, EmbeddingWidth = 128;

    private readonly GraphBuilder _b = new("unet");
    private readonly Random _random = new(3);
    private Value _embedding = null!; // set before the first block
    private int _block;

    /// <summary>Builds it.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="size">Width and height of the images.</param>
    /// <param name="widths">Channels of each resolution, multiples of 16.</param>
    /// <param name="blocks">Residual blocks a resolution on the way down; one more on the way up.</param>
    public static OnnxModel Build(int batch, int size, int[] widths, int blocks) => new SyntheticUNet().Emit(batch, size, widths, blocks);

    private OnnxModel Emit(int batch, int size, int[] widths, int blocks)
    {
        var x = _b.Input(Denoiser.X, ElementType.Float32, Shape.Of(batch, 3, size, size));
        var sigma = _b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        _embedding = Silu(_b.Gemm(_b.Reshape(_b.Log(sigma), Shape.Of(batch, 1)), Weight("embedding.weight", 1, EmbeddingWidth)));
        var h = Conv("in", x, widths[0], 3);
        var skips = new Stack<Value>();
        for (var level = 0; level < widths.Length; level++)
        {
            for (var i = 0; i < blocks; i++)
                skips.Push(h = Block(h, widths[level]));
            if (level < widths.Length - 1)
                skips.Push(h = Down(h));
        }
        h = Attention(Block(h, widths[^1]));
        for (var level = widths.Length - 1; level >= 0; level--)
        {
            for (var i = 0; i < blocks; i++)
                h = Block(_b.Concat(1, h, skips.Pop()), widths[level]);
            if (level > 0)
                h = Up(Block(_b.Concat(1, h, skips.Pop()), widths[level]));
        }
        _b.Output(Denoiser.Denoised, Conv("out", Silu(GroupNorm("out.norm", h)), 3, 3));
        return new OnnxModel(_b.Graph);
    }

    private Value Block(Value x, int channels)
    {
        var name = $"block{_block++}";
        var h = Conv($"{name}.conv0", Silu(GroupNorm($"{name}.norm0", x)), channels, 3);
        var shift = _b.Gemm(_embedding, Weight($"{name}.shift.weight", EmbeddingWidth, channels));
        h = _b.Add(h, _b.Reshape(shift, Shape.Of(x.Shape[0], channels, 1, 1)));
        h = Conv($"{name}.conv1", Silu(GroupNorm($"{name}.norm1", h)), channels, 3);
        var skip = x.Shape[1] == channels ? x : Conv($"{name}.skip", x, channels, 1);
        return _b.Mul(_b.Add(h, skip), Math.Sqrt(0.5));
    }

    private Value GroupNorm(string name, Value x)
    {
        var (n, c) = (x.Shape[0], x.Shape[1]);
        var ones = _b.Constant(TensorData.Of([.. Enumerable.Repeat(1f, Groups)], Groups));
        var zeros = _b.Constant(TensorData.Of(new float[Groups], Groups));
        var grouped = _b.Reshape(x, Shape.Of(n, Groups, x.Shape.ElementCount / n.Size / Groups));
        var normalized = _b.Emit("InstanceNormalization", [grouped, ones, zeros], x.Type, grouped.Shape, ("epsilon", 1e-5f));
        return _b.Add(_b.Mul(_b.Reshape(normalized, x.Shape), Weight($"{name}.scale", c.Size, 1, 1)), Weight($"{name}.bias", c.Size, 1, 1));
    }

    private Value Attention(Value x)
    {
        var (n, c, places) = (x.Shape[0], x.Shape[1].Size, x.Shape[2].Size * x.Shape[3].Size);
        var rows = _b.Transpose(_b.Reshape(GroupNorm("attention.norm", x), Shape.Of(n, c, places)), 0, 2, 1);
        Value Project(string name, Value value) => _b.MatMul(value, Weight($"attention.{name}.weight", c, c));
        var scores = _b.Softmax(_b.Mul(_b.MatMul(Project("q", rows), _b.TransposeLast(Project("k", rows))), 1 / Math.Sqrt(c)));
        var mixed = Project("out", _b.MatMul(scores, Project("v", rows)));
        return _b.Add(x, _b.Reshape(_b.Transpose(mixed, 0, 2, 1), x.Shape));
    }

    private Value Down(Value x)
    {
        var (n, c, size) = (x.Shape[0], x.Shape[1], x.Shape[2].Size / 2);
        return _b.ReduceMean(_b.Reshape(x, Shape.Of(n, c, size, 2, size, 2)), [3, 5], keepDims: false);
    }

    private Value Up(Value x)
    {
        var (n, c, size) = (x.Shape[0], x.Shape[1], x.Shape[2].Size);
        var repeated = _b.Expand(_b.Reshape(x, Shape.Of(n, c, size, 1, size, 1)), Shape.Of(n, c, size, 2, size, 2));
        return _b.Reshape(repeated, Shape.Of(n, c, size * 2, size * 2));
    }

    private Value Conv(string name, Value x, int channels, int kernel) => _b.Conv(x, Weight($"{name}.weight", channels, x.Shape[1].Size, kernel, kernel),
        Weight($"{name}.bias", channels), new ConvOptions { Pads = [.. Enumerable.Repeat((long)(kernel / 2), 4)] });

    private Value Silu(Value x) => _b.Mul(x, _b.Sigmoid(x));

    private Value Weight(string name, params long[] dims)
    {
        var numbers = new float[dims.Aggregate(1L, static (a, b) => a * b)];
        var scale = (float)(1 / Math.Sqrt(numbers.LongLength / (double)dims[0]));
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = scale * (_random.NextSingle() - 0.5f);
        return _b.Initializer(name, TensorData.Of(numbers, dims));
    }
}
