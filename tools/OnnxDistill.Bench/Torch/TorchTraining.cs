using OnnxDistill.Methods;
using OnnxDistill.Training;
using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>A training iteration on libtorch: frozen networks without gradient, coefficients of the fixed noise level made once.</summary>
internal sealed class TorchTraining : ITrainingSide
{
    private readonly Setup _setup;
    private readonly ITorchNoise _noise;
    private readonly TorchDenoiser _teacher, _student, _fakeScore;
    private readonly Dictionary<string, TorchAdam> _optimizers;
    private readonly TorchCoefficients _studentCoefficients;
    private readonly ITorchMethod _method;
    private readonly long[] _dims, _perSample;
    private long _iteration;

    public TorchTraining(ISubject subject, Setup setup, ITorchNoise noise)
    {
        TorchThreads.Set();
        (_setup, _noise) = (setup, noise);
        var template = setup.Teacher.AtAnyBatch();
        TorchDenoiser Network(bool trained) => subject.Torch(new TorchParameters(template, trained), setup);
        (_teacher, _student, _fakeScore) = (Network(false), Network(true), Network(true));
        _method = TorchMethods.Of(setup.Recipe.Method);
        var training = setup.Recipe.Recipe.Training;
        _optimizers = new()
        {
            [Roles.Student] = new(_student.Parameters.All, training.OptimizerOf(Roles.Student), ema: true),
            [Roles.FakeScore] = new(_fakeScore.Parameters.All, training.OptimizerOf(Roles.FakeScore), ema: false),
        };
        _dims = [setup.Task.Batch, .. setup.Task.DataShape];
        _perSample = [setup.Task.Batch, .. setup.Task.DataShape.Select(_ => 1L)];
        using var scope = NewDisposeScope();
        _studentCoefficients = _student.Coefficients(full([.. _perSample.Select(_ => 1L)], setup.Task.SigmaInit)).Kept();
    }

    public void Step() => Iterate();

    public (double FakeScore, double Student) Iterate()
    {
        var training = _setup.Recipe.Recipe.Training;
        var seen = _iteration * _setup.Task.Batch;
        var emaBeta = Schedules.EmaBeta(training.Ema, seen, _setup.Task.Batch);
        double Rate(string role) => Schedules.LearningRate(training.OptimizerOf(role), seen, training.Images);

        var fakeScore = FakeScoreLoss();
        _optimizers[Roles.FakeScore].Update(Rate(Roles.FakeScore), emaBeta);
        // Its parameters are frozen in the student's step, though gradients may pass through it.
        _fakeScore.Parameters.Require(gradients: false);
        var student = StudentLoss();
        _fakeScore.Parameters.Require(gradients: true);
        _optimizers[Roles.Student].Update(Rate(Roles.Student), emaBeta);
        _iteration++;
        return (fakeScore, student);
    }

    public IReadOnlyDictionary<string, float[]> Weights(string role, bool average)
    {
        var parameters = (role == Roles.Student ? _student : _fakeScore).Parameters;
        return parameters.InStoredLayout(average ? _optimizers[role].Ema : parameters.All);
    }

    public void Dispose()
    {
        foreach (var network in new[] { _teacher, _student, _fakeScore })
            network.Dispose();
        foreach (var optimizer in _optimizers.Values)
            optimizer.Dispose();
        _studentCoefficients.Release();
    }

    // EDM's loss on the student's samples: (1/sigma² + 1/sd²) ||D(y + sigma epsilon; sigma) - y||².
    private double FakeScoreLoss()
    {
        const string phase = "fake_score";
        using var scope = NewDisposeScope();
        Tensor clean, noisy, weight;
        Tensor? label;
        TorchCoefficients coefficients;
        using (no_grad())
        {
            label = Labels(phase);
            clean = Student(phase, label);
            var sigma = Levels(phase, _method.FakeScoreNoise);
            noisy = addcmul(clean, sigma, Normal(phase, "epsilon"), 1);
            coefficients = _fakeScore.Coefficients(sigma);
            weight = (sigma * sigma).reciprocal_().add_(1 / (_setup.Task.SigmaData * _setup.Task.SigmaData)).div_(_setup.Task.Batch);
        }
        var error = _fakeScore.Denoise(noisy, coefficients, label) - clean;
        var loss = (weight * error.square()).sum();
        loss.backward();
        return loss.item<float>();
    }

    private double StudentLoss()
    {
        const string phase = "student";
        using var scope = NewDisposeScope();
        var label = Labels(phase);
        var x = Student(phase, label);
        var sigma = Levels(phase, _method.StudentNoise);
        // Teacher and fake score see the same noise levels.
        var coefficients = _teacher.Coefficients(sigma);
        var loss = _method.StudentLoss(x, sigma, Normal(phase, "epsilon"),
            noisy => (_teacher.Denoise(noisy, coefficients, label), _fakeScore.Denoise(noisy, coefficients, label))) / _setup.Task.Batch;
        loss.backward();
        return loss.item<float>();
    }

    private Tensor Student(string phase, Tensor? label) => _student.Denoise(Normal(phase, "z") * _setup.Task.SigmaInit, _studentCoefficients, label);

    private Tensor Normal(string phase, string feed) => _noise.Normal(phase, feed, _iteration, _dims);

    private Tensor Levels(string phase, NoiseLaw law) => _noise.Levels(law, _setup.Task.NoiseScale, phase, _iteration, _perSample);

    private Tensor? Labels(string phase) =>
        _setup.Task.Labels == 0 ? null : _noise.Labels(phase, "label", _iteration, _setup.Task.Labels, _setup.Task.Batch);
}
