using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Io;
using OnnxDistill.Imaging;
using OnnxDistill.Methods;
using OnnxDistill.Sampling;

namespace OnnxDistill.Training;

/// <summary>Exports the averaged student, draws samples from the exported file, measures and draws them. Owns the evaluator and the metrics log.</summary>
internal sealed class SnapshotWriter(TrainingProgram program, IRunObserver observer) : IDisposable
{
    private const long SampleSeed = 0;

    private readonly Evaluator _evaluator = new(program.Recipe.Recipe.Evaluation);
    private RunFolder? _folder;
    private EventFile? _events;
    private StatsLog? _metrics;
    private bool _resumed;
    private long _resumedAt;

    public string GeneratorPath { get; private set; } = "";

    public IReadOnlyDictionary<string, double> Metrics { get; private set; } = new Dictionary<string, double>();

    /// <summary>Says where files go and where the run stands; once more after a rollback, then as a resumed run.</summary>
    public void Open(RunFolder folder, bool resumed, long imagesSeen, EventFile events)
    {
        _metrics?.Dispose();
        _metrics = null;
        (_folder, _resumed, _resumedAt, _events) = (folder, resumed, imagesSeen, events);
        // A run that is resumed at its end writes no snapshot; its last one is there.
        if (resumed && File.Exists(folder.GeneratorPath(imagesSeen)))
            GeneratorPath = folder.GeneratorPath(imagesSeen);
    }

    public void Write(TrainingEngine engine)
    {
        var folder = _folder ?? throw new InvalidOperationException("No run folder is open.");
        var seen = engine.ImagesSeen;
        var model = RunExport.Build(engine);
        GeneratorPath = folder.GeneratorPath(seen);
        OnnxWriter.Write(model, GeneratorPath);
        if (program.Recipe.Method.Name == DenoisingScoreMatching.MethodName)
            return; // a denoiser draws no samples in one step

        using var sampler = new GeneratorSampler(model);
        var options = program.Recipe.Recipe.Evaluation;
        var picture = program.Initial.Card.Data == "image" ? Math.Min(options.PictureSamples, 100) : options.PictureSamples;
        var samples = sampler.Sample(Math.Max(_evaluator.SampleCount, picture), SampleSeed);
        if (_evaluator.SampleCount > 0)
        {
            Metrics = _evaluator.Measure(samples);
            _metrics ??= _resumed
                ? StatsLog.Resume(folder.MetricsPath, _resumedAt, [.. Metrics.Keys])
                : StatsLog.Create(folder.MetricsPath, [.. Metrics.Keys]);
            _metrics.Append(seen, Metrics);
            foreach (var (name, number) in Metrics)
                _events!.Scalar(seen, $"metrics/{name}", number);
            observer.Measured(seen, Metrics);
        }
        var png = SamplePicture.Draw(samples.Take(picture), _evaluator.Reference, $"{program.Recipe.Method.Name}: {seen:N0} samples seen");
        AtomicFile.Write(folder.SamplesPath(seen), png);
        _events!.Image(seen, "samples", png);
    }

    public void Dispose()
    {
        _evaluator.Dispose();
        _metrics?.Dispose();
    }
}
