using OnnxDistill.Training;

namespace OnnxDistill.Bench;

/// <summary>OnnxDistill's own training engine, as the command runs it.</summary>
internal sealed class OnnxDistillSide(TrainingProgram program) : ISide
{
    private readonly TrainingEngine _engine = new(program);

    public (double FakeScore, double Student) Step()
    {
        var result = _engine.Step();
        return (result.Losses["fake_score"], result.Losses["student"]);
    }

    public IReadOnlyDictionary<string, float[]> Weights(string role, bool ema)
    {
        var state = _engine.States[role];
        return state.Description.Layout.Views(state.Current(ema ? OptimizerGraph.Ema : OptimizerGraph.Weights))
            .ToDictionary(v => v.Key, v => v.Value.Span<float>().ToArray());
    }

    public void Dispose() => _engine.Dispose();
}
