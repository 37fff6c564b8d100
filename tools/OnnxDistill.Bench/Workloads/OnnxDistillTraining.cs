using OnnxDistill.Training;

namespace OnnxDistill.Bench;

/// <summary>OnnxDistill's own training engine, as the command runs it.</summary>
internal sealed class OnnxDistillTraining(TrainingProgram program) : ITrainingSide
{
    private readonly TrainingEngine _engine = new(program);

    public void Step() => _engine.Step();

    public (double FakeScore, double Student) Iterate()
    {
        var result = _engine.Step();
        return (result.Losses["fake_score"], result.Losses["student"]);
    }

    public IReadOnlyDictionary<string, float[]> Weights(string role, bool average)
    {
        var state = _engine.States[role];
        return state.Description.Layout.Views(state.Current(average ? OptimizerGraph.Ema : OptimizerGraph.Weights))
            .ToDictionary(v => v.Key, v => v.Value.Span<float>().ToArray());
    }

    public void Dispose() => _engine.Dispose();
}
