using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Networks;

/// <summary>
/// The layers of the built-in networks. Parameters get the names and layouts that the published PyTorch code gives them
/// (<c>enc.32x32_block0.conv0.weight</c>, [out, in, k, k]), so that weights can be compared and moved one to one.
/// </summary>
internal sealed class Layers(GraphBuilder b, long seed)
{
    /// <summary>The builder.</summary>
    public GraphBuilder B => b;

    /// <summary>A parameter drawn by that law; its name names its random stream.</summary>
    public Value Parameter(string name, InitialWeights initial, double factor, long fanIn, long fanOut, params long[] dims) =>
        b.Initializer(name, initial.Draw(new NoiseStream(seed, StreamId.Named(name)), factor, fanIn, fanOut, dims));

    /// <summary>[N, in] to [N, out]; weight [out, in].</summary>
    public Value Linear(string name, Value x, long outputs, InitialWeights initial, bool bias = true)
    {
        using var scope = b.Scope(name);
        var inputs = x.Shape[1].Size;
        var weight = Parameter($"{name}.weight", initial, initial.Weight, inputs, outputs, outputs, inputs);
        return b.Gemm(x, weight, bias ? Parameter($"{name}.bias", initial, initial.Bias, inputs, outputs, outputs) : null, transposeB: true);
    }

    /// <summary>[N, tokens, in] to [N, tokens, out]; weight [out, in].</summary>
    public Value Rows(string name, Value x, long outputs, InitialWeights initial)
    {
        using var scope = b.Scope(name);
        var inputs = x.Shape[2].Size;
        var weight = Parameter($"{name}.weight", initial, initial.Weight, inputs, outputs, outputs, inputs);
        return b.Add(b.MatMul(x, b.Transpose(weight, 1, 0)), Parameter($"{name}.bias", initial, initial.Bias, inputs, outputs, outputs));
    }

    /// <summary>The patches of an image as tokens, [N, C, H, W] to [N, out, H / patch, W / patch]; weight [out, C, patch, patch], drawn as a matrix's.</summary>
    public Value Patches(string name, Value x, long outputs, long patch, InitialWeights initial)
    {
        using var scope = b.Scope(name);
        var inputs = x.Shape[1].Size * patch * patch;
        var weight = Parameter($"{name}.weight", initial, initial.Weight, inputs, outputs, outputs, x.Shape[1].Size, patch, patch);
        return b.Conv(x, weight, Parameter($"{name}.bias", initial, initial.Bias, inputs, outputs, outputs), new ConvOptions { Strides = [patch, patch] });
    }

    /// <summary>A convolution of [N, C, H, W] that keeps H and W; weight [out, C, kernel, kernel], kernel odd.</summary>
    public Value Conv(string name, Value x, long outputs, long kernel, InitialWeights initial) => Strided(name, x, outputs, kernel, 1, kernel / 2, initial);

    /// <summary>A convolution of [N, C, H, W] with a stride, and zeros around the image; weight [out, C, kernel, kernel].</summary>
    public Value Strided(string name, Value x, long outputs, long kernel, long stride, long pad, InitialWeights initial)
    {
        using var scope = b.Scope(name);
        var (channels, area) = (x.Shape[1].Size, kernel * kernel);
        var weight = Parameter($"{name}.weight", initial, initial.Weight, channels * area, outputs * area, outputs, channels, kernel, kernel);
        var bias = Parameter($"{name}.bias", initial, initial.Bias, channels * area, outputs * area, outputs);
        return b.Conv(x, weight, bias, new ConvOptions { Strides = [stride, stride], Pads = [pad, pad, pad, pad] });
    }

    /// <summary>Group normalisation (Wu and He 2018, arXiv 1803.08494) of [N, C, H, W] with a scale and a shift a channel: 32 groups, or as many as
    /// leave each of them four channels.</summary>
    public Value GroupNorm(string name, Value x, double epsilon)
    {
        using var scope = b.Scope(name);
        var channels = x.Shape[1].Size;
        var groups = Math.Max(1, Math.Min(32, channels / 4));
        if (channels % groups != 0)
            throw new ArgumentException($"'{name}' normalises {channels} channels in {groups} groups, which do not divide them. Choose widths that are multiples of 4, and of 32 from 128 on.");
        // Each group as one channel of an instance normalisation: what every ONNX Runtime has a kernel for.
        Value Filled(float value) => b.Constant(TensorData.Of([.. Enumerable.Repeat(value, (int)groups)], groups));
        var grouped = b.Reshape(x, Shape.Of(x.Shape[0], groups, channels / groups * x.Shape[2].Size * x.Shape[3].Size));
        var normalized = b.Emit("InstanceNormalization", [grouped, Filled(1), Filled(0)], x.Type, grouped.KnownShape, ("epsilon", (float)epsilon));
        Value PerChannel(string kind, float start) => b.Unsqueeze(
            b.Initializer($"{name}.{kind}", TensorData.Of([.. Enumerable.Repeat(start, (int)channels)], channels)), 1, 2);
        return b.Add(b.Mul(b.Reshape(normalized, x.Shape), PerChannel("weight", 1)), PerChannel("bias", 0));
    }

    /// <summary>sin and cos of c_noise [N, 1] times falling frequencies, [N, channels] (Vaswani et al. 2017, arXiv 1706.03762).</summary>
    /// <param name="noise">c_noise [N, 1].</param>
    /// <param name="channels">Width, even.</param>
    /// <param name="endpoint">Whether the lowest frequency is 1/10000 itself.</param>
    public (Value Sin, Value Cos) PositionalEmbedding(Value noise, int channels, bool endpoint)
    {
        using var scope = b.Scope("map_noise");
        var half = channels / 2;
        var frequencies = Enumerable.Range(0, half).Select(i => (float)Math.Pow(1e-4, i / (double)(half - (endpoint ? 1 : 0)))).ToArray();
        var angles = b.Mul(noise, b.Constant(TensorData.Of(frequencies, 1, half)));
        return (b.Sin(angles), b.Cos(angles));
    }

    /// <summary>sin and cos of c_noise [N, 1] times normal frequencies of deviation 16 (Song et al. 2021, arXiv 2011.13456); they are not trained.</summary>
    public (Value Sin, Value Cos) FourierEmbedding(Value noise, int channels)
    {
        using var scope = b.Scope("map_noise");
        var frequencies = new float[channels / 2];
        new NoiseStream(seed, StreamId.Named("map_noise.freqs")).FillNormal(frequencies, 0);
        var angles = b.Mul(noise, b.Constant(TensorData.Of([.. frequencies.Select(f => (float)(2 * Math.PI * 16 * f))], 1, channels / 2)));
        return (b.Sin(angles), b.Cos(angles));
    }

    /// <summary>One-hot vectors [N, classes] of classes [N]; one out of range, which means "no class", is all zeros.</summary>
    public Value OneHot(Value labels, int classes) => b.OneHot(labels, b.Longs(classes), b.Constant(TensorData.Of([0f, 1f], 2)), -1,
        Shape.Of(labels.Shape[0], classes));

    /// <summary>An embedding [N, E] with that of the augmentation labels added, which are zeros unless <see cref="Network.Augment"/> is bound.</summary>
    public Value AddAugment(Value embedding, Value noise, InitialWeights initial)
    {
        var labels = b.Initializer(Network.Augment, TensorData.Of(new float[Network.AugmentLabels], 1, Network.AugmentLabels));
        // A row for each sample, whatever the batch and whether the labels are bound.
        var rows = b.Add(labels, b.Mul(noise, 0));
        return b.Add(embedding, Linear("map_augment", rows, embedding.Shape[1].Size, initial, bias: false));
    }

    /// <summary>[N, C, H, W] at half the resolution, low-passed by a separable filter (<c>[1, 1]</c>: the mean of blocks).</summary>
    /// <param name="x">The image.</param>
    /// <param name="filter">The filter along each axis, of even length.</param>
    /// <param name="padded">Whether x has the filter's margin already.</param>
    public Value Down(Value x, IReadOnlyList<double> filter, bool padded = false)
    {
        if (filter is [1, 1])
            return b.AveragePool(x, 2, 2);
        return b.Conv(x, Kernel(x.Shape[1].Size, filter, 1), null, Resampling(x, padded ? 0 : Margin(filter)));
    }

    /// <summary>[N, C, H, W] at twice the resolution (<c>[1, 1]</c>: each place repeated).</summary>
    public Value Up(Value x, IReadOnlyList<double> filter)
    {
        if (filter is [1, 1])
            return b.RepeatPlaces(x, 2, 2);
        return b.ConvTranspose(x, Kernel(x.Shape[1].Size, filter, 4), Resampling(x, Margin(filter)), [0, 0]);
    }

    /// <summary>Places that a filter of even length reaches beyond each border.</summary>
    public static int Margin(IReadOnlyList<double> filter) => (filter.Count - 1) / 2;

    private static ConvOptions Resampling(Value x, int pad) => new() { Strides = [2, 2], Pads = [pad, pad, pad, pad], Group = x.Shape[1].Size };

    // The filter's outer product, normalised to a sum of `gain`, for every channel by itself.
    private Value Kernel(long channels, IReadOnlyList<double> filter, double gain)
    {
        var sum = filter.Sum();
        var kernel = filter.SelectMany(row => filter.Select(column => (float)(gain * row * column / (sum * sum)))).ToArray();
        return b.Constant(TensorData.Of([.. Enumerable.Repeat(kernel, (int)channels).SelectMany(k => k)], channels, 1, filter.Count, filter.Count));
    }
}
