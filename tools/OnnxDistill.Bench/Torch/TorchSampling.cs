using OnnxDistill.Runtime.Noise;
using OnnxDistill.Sampling;
using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>Samples on libtorch, recorded for no gradient: one step of the student, or EDM's sampler of the teacher with its state in double.</summary>
internal sealed class TorchSampling : ISamplingSide
{
    private readonly Setup _setup;
    private readonly TorchDenoiser _network;
    private readonly int _batch, _steps;
    private readonly double[] _levels;
    private readonly List<TorchCoefficients> _coefficients;
    private readonly Tensor? _labels;

    // Steps of the sampler; 0 is the student's one step.
    public TorchSampling(ISubject subject, Setup setup, int batch, int steps)
    {
        TorchThreads.Set();
        (_setup, _batch, _steps) = (setup, batch, steps);
        _network = subject.Torch(new TorchParameters(setup.Teacher.AtAnyBatch(), trained: false), setup);
        _levels = steps == 0 ? [setup.Task.SigmaInit] : TeacherSampler.Levels(setup.Teacher.Card, new SamplerOptions { Steps = steps });
        _labels = setup.Task.Labels == 0 ? null : arange(batch, dtype: ScalarType.Int64).remainder(setup.Task.Labels);
        using var scope = NewDisposeScope();
        // One level for the whole batch, so it is embedded once.
        _coefficients = [.. _levels.Where(l => l > 0).Select(l => _network.Coefficients(full([1, .. setup.Task.DataShape.Select(_ => 1L)], l)).Kept())];
    }

    public void Step()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode(true);
        Sample(randn(Dims));
    }

    public float[] Sample(long seed)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode(true);
        var z = new float[Dims.Aggregate(1L, static (n, d) => n * d)];
        new NoiseStream(seed, StreamId.Latent).FillNormal(z, 0);
        return Sample(tensor(z, Dims)).contiguous().data<float>().ToArray();
    }

    private long[] Dims => [_batch, .. _setup.Task.DataShape];

    private Tensor Sample(Tensor z)
    {
        if (_steps == 0)
            return _network.Denoise(z * _levels[0], _coefficients[0], _labels);
        var x = z.@double() * _levels[0];
        for (var i = 0; i < _steps; i++)
        {
            using var scope = NewDisposeScope();
            var step = _levels[i + 1] - _levels[i];
            var slope = Slope(x, i);
            var next = x.add(slope, step);
            // The last level is 0, where the slope is not defined: Euler alone.
            if (i < _steps - 1)
                next = x.add(slope.add_(Slope(next, i + 1)), step / 2);
            x = next.MoveToOuterDisposeScope();
        }
        return x.@float();
    }

    // d = (x - D(x; sigma)) / sigma
    private Tensor Slope(Tensor x, int level) => (x - _network.Denoise(x.@float(), _coefficients[level], _labels)).div_(_levels[level]);

    public void Dispose()
    {
        _network.Dispose();
        _labels?.Dispose();
        _coefficients.ForEach(c => c.Release());
    }
}
