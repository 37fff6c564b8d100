using OnnxDistill.Methods;
using TorchSharp;

namespace OnnxDistill.Bench;

/// <summary>Where the libtorch side takes its random numbers from.</summary>
internal interface ITorchNoise
{
    /// <summary>Standard normal numbers for an input of a phase.</summary>
    torch.Tensor Normal(string phase, string feed, long step, params long[] dims);

    /// <summary>Uniform numbers in [0, 1).</summary>
    torch.Tensor Uniform(string phase, string feed, long step, params long[] dims);

    /// <summary>Classes, uniform over [0, bound).</summary>
    torch.Tensor Labels(string phase, string feed, long step, long bound, long count);

    /// <summary>Noise levels [N, 1, ...] of a law, as NoiseLaw.Sample writes them.</summary>
    torch.Tensor Levels(NoiseLaw law, double scale, string phase, long step, params long[] dims)
    {
        const string feed = "sigma_draw";
        if (law.Absolute)
            scale = 1;
        switch (law.Kind)
        {
            case NoiseLawKind.LogNormal:
                return Normal(phase, feed, step, dims).mul_(law.Deviation).add_(law.Mean + Math.Log(scale)).exp_();
            case NoiseLawKind.KarrasUniform:
                var (low, high) = (Math.Pow(law.Min * scale, 1 / law.Rho), Math.Pow(law.Max * scale, 1 / law.Rho));
                return Uniform(phase, feed, step, dims).mul_(law.TMax * (high - low)).add_(low).pow_(law.Rho);
            case NoiseLawKind.Power:
                return Uniform(phase, feed, step, dims).pow_(law.Power).mul_((law.Max - law.Min) * scale).add_(law.Min * scale);
            default:
                throw new NotSupportedException($"The libtorch side does not know the law {law.Kind}.");
        }
    }
}

/// <summary>libtorch's own generator: what is timed.</summary>
internal sealed class OwnNoise : ITorchNoise
{
    public torch.Tensor Normal(string phase, string feed, long step, params long[] dims) => torch.randn(dims);

    public torch.Tensor Uniform(string phase, string feed, long step, params long[] dims) => torch.rand(dims);

    public torch.Tensor Labels(string phase, string feed, long step, long bound, long count) => torch.randint(0, bound, [count], torch.ScalarType.Int64);
}

/// <summary>OnnxDistill's numbers: what the cross-check uses.</summary>
internal sealed class SameNoise(Setup setup) : ITorchNoise
{
    public torch.Tensor Normal(string phase, string feed, long step, params long[] dims)
    {
        var data = new float[dims.Aggregate(1L, static (n, d) => n * d)];
        setup.Stream(phase, feed).FillNormal(data, step);
        return torch.tensor(data, dims);
    }

    public torch.Tensor Uniform(string phase, string feed, long step, params long[] dims)
    {
        var data = new float[dims.Aggregate(1L, static (n, d) => n * d)];
        setup.Stream(phase, feed).FillUniform(data, step);
        return torch.tensor(data, dims);
    }

    public torch.Tensor Labels(string phase, string feed, long step, long bound, long count)
    {
        var data = new long[count];
        setup.Stream(phase, feed).FillIntegers(data, bound, step);
        return torch.tensor(data);
    }
}
