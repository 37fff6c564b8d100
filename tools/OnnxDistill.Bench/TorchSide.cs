using OnnxDistill.Methods;
using OnnxDistill.Training;
using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>The same iteration on libtorch: frozen networks without gradient, coefficients of the fixed noise level made once.</summary>
internal sealed class TorchSide : ISide
{
    private readonly TrainingProgram _program;
    private readonly ITorchNoise _noise;
    private readonly Dictionary<string, TorchMlp> _networks;
    private readonly Dictionary<string, TorchAdam> _optimizers;
    private readonly TorchCoefficients _studentCoefficients;
    private readonly NoiseLaw _fakeScoreLaw, _studentLaw;
    private readonly double _sigmaData;
    private readonly int _batch;
    private long _iteration;

    public TorchSide(TrainingProgram program, ITorchNoise noise)
    {
        set_num_threads(Workload.Threads);
        (_program, _noise, _sigmaData, _batch) = (program, noise, program.Task.SigmaData, program.Task.Batch);
        var method = (DiffInstructOptions)program.Recipe.Method.Options;
        (_fakeScoreLaw, _studentLaw) = (method.FakeScoreNoise, method.StudentNoise);
        var template = program.Networks[0].Network;
        _networks = new() { [Roles.Teacher] = new(template, trained: false) };
        _optimizers = [];
        foreach (var network in program.Networks)
        {
            var mlp = _networks[network.Role] = new(network.Network, trained: true);
            _optimizers[network.Role] = new(mlp.Parameters, network.Optimizer, network.HasEma);
        }
        using var scope = NewDisposeScope();
        _studentCoefficients = TorchCoefficients.Of(full([_batch, 1], program.Task.SigmaInit), _sigmaData).Kept();
    }

    public (double FakeScore, double Student) Step()
    {
        var training = _program.Recipe.Recipe.Training;
        var seen = _iteration * _batch;
        var emaBeta = Schedules.EmaBeta(training.Ema, seen, _batch);
        double Rate(string role) => Schedules.LearningRate(training.OptimizerOf(role), seen, training.Images);

        var fakeScore = FakeScoreLoss();
        _optimizers[Roles.FakeScore].Update(Rate(Roles.FakeScore), emaBeta);
        var student = StudentLoss();
        _optimizers[Roles.Student].Update(Rate(Roles.Student), emaBeta);
        _iteration++;
        return (fakeScore, student);
    }

    public IReadOnlyDictionary<string, float[]> Weights(string role, bool ema)
    {
        var mlp = _networks[role];
        var values = ema ? _optimizers[role].Ema : mlp.Parameters;
        return values.Select((value, i) =>
        {
            using var scope = NewDisposeScope();
            var isWeight = i % 2 == 0;
            var plain = isWeight ? value.detach().t().contiguous() : value.detach();
            return KeyValuePair.Create($"{mlp.Names[i / 2]}.{(isWeight ? "weight" : "bias")}", plain.data<float>().ToArray());
        }).ToDictionary();
    }

    public void Dispose()
    {
        foreach (var network in _networks.Values)
            network.Dispose();
        foreach (var optimizer in _optimizers.Values)
            optimizer.Dispose();
        foreach (var tensor in new[] { _studentCoefficients.In, _studentCoefficients.Skip, _studentCoefficients.Out, _studentCoefficients.Noise })
            tensor.Dispose();
    }

    // EDM's loss on the student's samples: (1/sigma² + 1/sd²) ||D(y + sigma epsilon; sigma) - y||².
    private double FakeScoreLoss()
    {
        const string phase = "fake_score";
        using var scope = NewDisposeScope();
        Tensor clean, sigma, noisy;
        TorchCoefficients coefficients;
        Tensor weight;
        using (no_grad())
        {
            clean = Student(phase);
            sigma = Levels(phase, _fakeScoreLaw);
            noisy = addcmul(clean, sigma, Normal(phase, "epsilon"), 1);
            coefficients = TorchCoefficients.Of(sigma, _sigmaData);
            weight = (sigma * sigma).reciprocal_().add_(1 / (_sigmaData * _sigmaData)).div_(_batch);
        }
        var error = _networks[Roles.FakeScore].Denoise(noisy, coefficients) - clean;
        var loss = (weight * error.square()).sum();
        loss.backward();
        return loss.item<float>();
    }

    // L = sum of sg[f - r] x over a sample, averaged over the batch.
    private double StudentLoss()
    {
        const string phase = "student";
        using var scope = NewDisposeScope();
        var x = Student(phase);
        Tensor difference;
        using (no_grad())
        {
            var sigma = Levels(phase, _studentLaw);
            var noisy = addcmul(x.detach(), sigma, Normal(phase, "epsilon"), 1);
            // Teacher and fake score see the same noise levels.
            var coefficients = TorchCoefficients.Of(sigma, _sigmaData);
            var r = _networks[Roles.Teacher].Denoise(noisy, coefficients);
            difference = (_networks[Roles.FakeScore].Denoise(noisy, coefficients) - r).div_(_batch);
        }
        var loss = (difference * x).sum();
        loss.backward();
        return loss.item<float>();
    }

    private Tensor Student(string phase) => _networks[Roles.Student].Denoise(Normal(phase, "z") * _program.Task.SigmaInit, _studentCoefficients);

    private Tensor Normal(string phase, string feed) => _noise.Normal(phase, feed, _iteration, _batch, _program.Task.DataShape[0]);

    private Tensor Levels(string phase, NoiseLaw law) => law is { Kind: NoiseLawKind.Power, Absolute: true }
        ? _noise.Uniform(phase, "sigma_draw", _iteration, _batch, 1).pow_(law.Power).mul_(law.Max - law.Min).add_(law.Min)
        : throw new NotSupportedException("The libtorch side knows the power law in the data's own units, as the recipe has it.");
}
