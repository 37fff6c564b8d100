using OnnxDistill.Training;
using OnnxDistill.Verification;

namespace OnnxDistill.Bench;

/// <summary>One training iteration, as the subject's recipe has it.</summary>
internal sealed class TrainingWorkload(string name, string title, ISubject subject) : IWorkload
{
    public string Name => name;

    public string Title => title;

    public string Description => "One iteration is one fake-score and one student update, with noise, Adam and the average of the student's weights.";

    public ISubject Subject => subject;

    public int Images => 0;

    public double Flops(Setup setup) => TrainingProgram.Build(setup.Recipe).Graphs.Sum(g => MatrixWork.Flops(g.Model.Graph));

    public ISide Create(string side, Setup setup) => side == Worker.OnnxDistill
        ? new OnnxDistillTraining(TrainingProgram.Build(setup.Recipe)) : new TorchTraining(subject, setup, new OwnNoise());

    public CrossCheck Check(Func<string[], Setup> load)
    {
        // Adam's first step is the gradient's sign. Where a unit is all but dead the gradient is rounding noise of either library, and with the recipe's
        // epsilon of 1e-8 the noise would be blown up to a full step (seen: a dozen columns of two layers); with 1e-4 it stays as small as it is.
        var setup = load(["training.optimizer.epsilon=1e-4"]);
        using var ours = new OnnxDistillTraining(TrainingProgram.Build(setup.Recipe));
        using var theirs = new TorchTraining(subject, setup, new SameNoise(setup));
        return CrossCheck.OfTraining(ours, theirs);
    }
}
