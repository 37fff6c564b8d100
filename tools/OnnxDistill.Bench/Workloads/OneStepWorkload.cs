using OnnxDistill.Export;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Verification;

namespace OnnxDistill.Bench;

/// <summary>One-step samples of a student (with the teacher's weights, which it starts from): OnnxDistill runs the generator that it exports.</summary>
internal sealed class OneStepWorkload(string name, ISubject subject, int batch) : IWorkload
{
    public string Name => name;

    public string Title => $"One-step samples, {subject.Name}";

    public string Description => $"A batch of {batch} samples from the exported generator, its noise included.";

    public ISubject Subject => subject;

    public int Images => batch;

    public double Flops(Setup setup) => MatrixWork.Flops(setup.Teacher.AtBatch(batch).Model.Graph);

    public ISide Create(string side, Setup setup) => side == Worker.OnnxDistill ? Ours(setup) : new TorchSampling(subject, setup, batch, steps: 0);

    public CrossCheck Check(Func<string[], Setup> load)
    {
        var setup = load([]);
        using var ours = Ours(setup);
        using var theirs = new TorchSampling(subject, setup, batch, steps: 0);
        var check = new CrossCheck();
        check.AddSamples(ours, theirs);
        return check.Passed();
    }

    private OnnxDistillSampling<GeneratorSampler> Ours(Setup setup)
    {
        var weights = setup.Teacher.AtAnyBatch().Parameters.ToDictionary(p => p.Name, p => p.Constant!); // a parameter is an initializer
        var generator = GeneratorBuilder.Build(setup.Teacher, weights, setup.Task.SigmaInit, []);
        return new(new GeneratorSampler(generator, new DeviceOptions { Threads = Setup.Threads }), (sampler, seed) => sampler.Sample(batch, seed));
    }
}
