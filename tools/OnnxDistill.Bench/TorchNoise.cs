using OnnxDistill.Training;
using TorchSharp;

namespace OnnxDistill.Bench;

/// <summary>Where the libtorch side takes its random numbers from.</summary>
internal interface ITorchNoise
{
    /// <summary>Standard normal numbers for an input of a phase.</summary>
    torch.Tensor Normal(string phase, string feed, long step, params long[] dims);

    /// <summary>Uniform numbers in [0, 1).</summary>
    torch.Tensor Uniform(string phase, string feed, long step, params long[] dims);
}

/// <summary>libtorch's own generator: what is timed.</summary>
internal sealed class OwnNoise : ITorchNoise
{
    public torch.Tensor Normal(string phase, string feed, long step, params long[] dims) => torch.randn(dims);

    public torch.Tensor Uniform(string phase, string feed, long step, params long[] dims) => torch.rand(dims);
}

/// <summary>OnnxDistill's numbers: what the cross-check uses.</summary>
internal sealed class SameNoise(TrainingProgram program) : ITorchNoise
{
    public torch.Tensor Normal(string phase, string feed, long step, params long[] dims)
    {
        var data = new float[dims.Aggregate(1L, static (n, d) => n * d)];
        Workload.Stream(program, phase, feed).FillNormal(data, step);
        return torch.tensor(data, dims);
    }

    public torch.Tensor Uniform(string phase, string feed, long step, params long[] dims)
    {
        var data = new float[dims.Aggregate(1L, static (n, d) => n * d)];
        Workload.Stream(program, phase, feed).FillUniform(data, step);
        return torch.tensor(data, dims);
    }
}
