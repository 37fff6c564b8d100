using OnnxDistill.Training;
using OnnxDistill.Verification;

namespace OnnxDistill.Bench;

/// <summary>One training iteration, as the subject's recipe has it.</summary>
internal sealed class TrainingWorkload(string name, string title, ISubject subject) : IWorkload
{
    // Relative to the whole of a parameter's change. A key's normalisation before a softmax, a time embedding that all samples share: where the sum of a
    // gradient all but cancels, either library's rounding leaves 1e-4 of it (seen: 1.2e-4); a wrong coefficient or a missing term is 1e-2 and more.
    private const double ChangeTolerance = 1e-3;

    public string Name => name;

    public string Title => title;

    public string Description => "One iteration is one fake-score and one student update, with noise, Adam and the average of the student's weights.";

    public ISubject Subject => subject;

    public int Images => 0;

    public double Flops(Setup setup) => TrainingProgram.Build(setup.Recipe).Graphs.Sum(g => MatrixWork.Flops(g.Model.Graph));

    public ISide Create(string side, Setup setup) => side == Worker.OnnxDistill
        ? new OnnxDistillTraining(TrainingProgram.Build(setup.Recipe)) : new TorchTraining(subject, setup, new OwnNoise());

    // Adam's step is the gradient's sign as long as its epsilon does not matter. Where a unit is all but dead, or sums all but cancel, the gradient is rounding
    // noise of either library, which the recipe's epsilon of 1e-8 would blow up to full steps. So gradients are compared where a step is the gradient times a
    // constant (epsilon 1), and Adam itself with 1e-4, by the weights.
    public CrossCheck Check(Func<string[], Setup> load)
    {
        var check = new CrossCheck();
        Add(check, load(["training.optimizer.epsilon=1", "training.optimizer.learningRate=1e-2", "training.optimizers.fake_score.learningRate=1e-2"]), ChangeTolerance);
        Add(check, load(["training.optimizer.epsilon=1e-4"]), null);
        return check.Passed();
    }

    private void Add(CrossCheck check, Setup setup, double? changes)
    {
        using var ours = new OnnxDistillTraining(TrainingProgram.Build(setup.Recipe));
        using var theirs = new TorchTraining(subject, setup, new SameNoise(setup));
        check.AddTraining(ours, theirs, changes);
    }
}
