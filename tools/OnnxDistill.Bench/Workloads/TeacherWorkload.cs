using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Verification;

namespace OnnxDistill.Bench;

/// <summary>Samples of a teacher by EDM's deterministic sampler: what the one step is to replace.</summary>
internal sealed class TeacherWorkload(string name, ISubject subject, int batch) : IWorkload
{
    // EDM's for CIFAR-10: two evaluations a step, one in the last.
    private const int Steps = 18, Evaluations = (2 * Steps) - 1;

    public string Name => name;

    public string Title => $"Samples of the teacher, {subject.Name}";

    public string Description => $"A batch of {batch} samples by Heun's method in {Steps} steps ({Evaluations} evaluations), state in double, noise included.";

    public ISubject Subject => subject;

    public int Images => batch;

    public double Flops(Setup setup) => Evaluations * MatrixWork.Flops(setup.Teacher.AtBatch(batch).Model.Graph);

    public ISide Create(string side, Setup setup) => side == Worker.OnnxDistill ? Ours(setup) : new TorchSampling(subject, setup, batch, Steps);

    public CrossCheck Check(Func<string[], Setup> load)
    {
        var setup = load([]);
        using var ours = Ours(setup);
        using var theirs = new TorchSampling(subject, setup, batch, Steps);
        var check = new CrossCheck();
        check.AddSamples(ours, theirs);
        return check.Passed();
    }

    private OnnxDistillSampling<TeacherSampler> Ours(Setup setup) => new(new TeacherSampler(setup.Teacher, new DeviceOptions { Threads = Setup.Threads }),
        (sampler, seed) => sampler.Sample(batch, seed, new SamplerOptions { Steps = Steps }));
}
