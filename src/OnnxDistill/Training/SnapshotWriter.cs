using OnnxDistill.Data;
using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Imaging;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;

namespace OnnxDistill.Training;

/// <summary>Exports the averaged student, draws samples from it, measures and draws them; ranks share the samples, rank 0 writes. Owns the evaluator and the metrics log.</summary>
internal sealed class SnapshotWriter(TrainingProgram program, IRunObserver observer, IRankGroup ranks) : IDisposable
{
    private const long SampleSeed = 0;

    private readonly Evaluator _evaluator = new(program.Recipe.Recipe.Evaluation, ranks);
    private readonly DenoisedPicture? _denoised = DenoisedPicture.For(program);
    private RunFolder? _folder;
    private EventFile? _events;
    private StatsLog? _metrics;
    private bool _resumed;
    private long _resumedAt;

    public string GeneratorPath { get; private set; } = "";

    public IReadOnlyDictionary<string, double> Metrics { get; private set; } = new Dictionary<string, double>();

    /// <summary>Says where files go (no folder on a rank that writes none) and where the run stands; once more after a rollback, then as a resumed run.</summary>
    public void Open(RunFolder? folder, bool resumed, long imagesSeen, EventFile? events)
    {
        _metrics?.Dispose();
        _metrics = null;
        (_folder, _resumed, _resumedAt, _events) = (folder, resumed, imagesSeen, events);
        // A run that is resumed at its end writes no snapshot; its last one is there.
        if (resumed && folder is not null && File.Exists(folder.GeneratorPath(imagesSeen)))
            GeneratorPath = folder.GeneratorPath(imagesSeen);
    }

    /// <param name="engine">Whose student.</param>
    /// <param name="seconds">Seconds of training so far.</param>
    public void Write(TrainingEngine engine, double seconds)
    {
        var seen = engine.ImagesSeen;
        var model = RunExport.Build(engine);
        if (_folder is not null)
            OnnxWriter.Write(model, GeneratorPath = _folder.GeneratorPath(seen));
        var options = program.Recipe.Recipe.Evaluation;
        var picture = program.Student.Data == "image" ? Math.Min(options.PictureSamples, 100) : options.PictureSamples;
        var samples = Draw(model, Math.Max(_evaluator.SampleCount, picture));
        if (_evaluator.SampleCount > 0)
            Metrics = _evaluator.Measure(samples);
        if (_folder is { } folder)
            Record(folder, engine, seconds, samples.Take(picture));
    }

    // A generator in one step, a denoiser by the usual sampler.
    private SampleSet Draw(OnnxModel model, int count)
    {
        var device = SharedBatches.Device(ranks);
        if (program.IsFit)
        {
            using var teacher = new TeacherSampler(new Denoiser(model, "the fitted denoiser"), device);
            return teacher.Sample(count, SampleSeed, new SamplerOptions { Steps = program.Recipe.Recipe.Evaluation.SamplerSteps }, ranks: ranks);
        }
        using var sampler = new GeneratorSampler(model, device);
        return sampler.Sample(count, SampleSeed, ranks: ranks);
    }

    private void Record(RunFolder folder, TrainingEngine engine, double seconds, SampleSet picture)
    {
        var seen = engine.ImagesSeen;
        if (Metrics.Count > 0)
        {
            string[] columns = [StatsLog.SecondsColumn, .. Metrics.Keys];
            _metrics ??= _resumed ? StatsLog.Resume(folder.MetricsPath, _resumedAt, columns) : StatsLog.Create(folder.MetricsPath, columns);
            _metrics.Append(seen, new Dictionary<string, double>(Metrics) { [StatsLog.SecondsColumn] = seconds });
            foreach (var (name, number) in Metrics)
                _events!.Scalar(seen, $"metrics/{name}", number);
            observer.Measured(seen, Metrics);
        }
        var png = SamplePicture.Draw(picture, _evaluator.Reference, $"{program.Recipe.Method.Name}: {seen:N0} samples seen");
        AtomicFile.Write(folder.SamplesPath(seen), png);
        _events!.Image(seen, "samples", png);
        if (_denoised?.Draw(engine, picture) is not { } denoised)
            return;
        AtomicFile.Write(folder.DenoisedPath(seen), denoised);
        _events.Image(seen, "denoised", denoised);
    }

    public void Dispose()
    {
        _evaluator.Dispose();
        _metrics?.Dispose();
    }
}
