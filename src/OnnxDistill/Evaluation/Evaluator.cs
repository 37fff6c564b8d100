using OnnxDistill.Data;
using OnnxDistill.Metrics;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Sampling;

namespace OnnxDistill.Evaluation;

/// <summary>Measures samples against a reference: a known mixture, or real images by their features. Loads the reference once. Owns a session.</summary>
public sealed class Evaluator : IDisposable
{
    private readonly GaussianMixture? _mixture;
    private readonly SampleSet? _reference;
    private readonly IRankGroup? _ranks;
    private readonly FeatureExtractor? _extractor;
    private readonly Lazy<ReferenceStatistics>? _statistics;
    private readonly Lazy<IReadOnlyDictionary<string, double>> _yardstick;
    private readonly IReadOnlyList<IMetric> _metrics;

    /// <summary>An evaluator for these options; without a reference it measures nothing.</summary>
    /// <param name="options">What is measured.</param>
    /// <param name="ranks">Processes that share the features and all measure; null for this one alone.</param>
    /// <exception cref="RecipeException">A metric is not known or lacks its reference, or images come without a feature extractor.</exception>
    public Evaluator(EvaluationOptions options, IRankGroup? ranks = null)
    {
        (Options, _ranks) = (options, ranks);
        Check(options);
        var count = options.Samples;
        var names = new List<string>(options.Metrics);
        if (options.Mixture.Length > 0)
        {
            _mixture = GaussianMixtureCsv.Read(options.Mixture);
            _reference = DrawReference(_mixture, count, seed: 1);
            if (names.Count == 0 && count > 1)
                names.AddRange(new[] { "logp", "mmd", "coverage" }.Select(family => MetricName(family, count)));
        }
        if (options.Images.Length > 0)
        {
            _extractor = new FeatureExtractor(options.Features, options.FeatureTensor, options.FeatureInput, SharedBatches.Device(ranks));
            // Reference images have no border to crop: the crop belongs to the samples.
            _statistics = new Lazy<ReferenceStatistics>(() =>
            {
                using var plain = new FeatureExtractor(options.Features, options.FeatureTensor, options.FeatureInput with { Crop = 0 }, SharedBatches.Device(ranks));
                return ReferenceStatistics.Of(plain.Features(IdxFile.ReadImages(options.Images), ranks: ranks));
            });
            if (names.Count == 0 && count > 1)
                names.Add(MetricName("fid", count));
        }
        _metrics = [.. names.Select(MetricCatalog.Create)];
        _yardstick = new Lazy<IReadOnlyDictionary<string, double>>(() =>
            _mixture is null ? new Dictionary<string, double>() : Of(DrawReference(_mixture, SampleCount, seed: 2)));
    }

    /// <summary>The options.</summary>
    public EvaluationOptions Options { get; }

    /// <summary>Points of the true mixture, for plots; null for images.</summary>
    public SampleSet? Reference => _reference;

    /// <summary>Samples that the metrics need.</summary>
    public int SampleCount => _metrics.Count == 0 ? 0 : _metrics.Max(m => m.SampleCount);

    /// <summary>Every metric's numbers of a second set of real samples, by name: what a perfect student would score. Empty for images.</summary>
    public IReadOnlyDictionary<string, double> Yardstick => _yardstick.Value;

    /// <summary>Every metric's numbers, by name; beside those of a mixture, under <c>real.</c>, the <see cref="Yardstick"/>.</summary>
    public IReadOnlyDictionary<string, double> Measure(SampleSet samples)
    {
        var numbers = Of(samples);
        foreach (var (name, number) in Yardstick)
            numbers[$"real.{name}"] = number;
        return numbers;
    }

    private SortedDictionary<string, double> Of(SampleSet samples)
    {
        var numbers = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var features = _extractor is null ? samples : _extractor.Features(samples, ranks: _ranks);
        var inputs = new MetricInputs(features) { Mixture = _mixture, Reference = _reference, Statistics = _statistics?.Value };
        foreach (var metric in _metrics)
        {
            foreach (var (name, number) in metric.Measure(inputs).Values)
                numbers[name] = number;
        }
        return numbers;
    }

    /// <summary>Samples of a mixture, drawn by counter from a seed.</summary>
    public static SampleSet DrawReference(GaussianMixture mixture, int count, long seed)
    {
        var (uniforms, normals) = (new float[count], new float[count * mixture.Dimension]);
        new NoiseStream(seed, StreamId.Named("reference/mode")).FillUniform(uniforms, 0);
        new NoiseStream(seed, StreamId.Named("reference/noise")).FillNormal(normals, 0);
        return mixture.Sample(Array.ConvertAll(uniforms, u => (double)u), Array.ConvertAll(normals, n => (double)n));
    }

    /// <inheritdoc/>
    public void Dispose() => _extractor?.Dispose();

    // Before anything is loaded: a run must not find out at its first snapshot, and a session must not be left behind.
    private static void Check(EvaluationOptions options)
    {
        if (options.Images.Length > 0 != options.Features.Length > 0)
        {
            throw new RecipeException($"evaluation: found {(options.Images.Length > 0 ? "images without features" : "features without images")}; "
                + "images are compared by the features of an ONNX network, so give both or neither.");
        }
        var given = (options.Mixture.Length > 0 ? MetricNeeds.Mixture | MetricNeeds.Reference | MetricNeeds.Features : MetricNeeds.None)
            | (options.Images.Length > 0 ? MetricNeeds.Statistics | MetricNeeds.Features : MetricNeeds.None);
        foreach (var name in options.Metrics)
        {
            IMetric metric;
            try
            {
                metric = MetricCatalog.Create(name);
            }
            catch (ArgumentException error)
            {
                throw new RecipeException($"evaluation.metrics: {error.Message}", error);
            }
            if ((metric.Needs & ~given) is not MetricNeeds.None and var missing)
            {
                throw new RecipeException($"evaluation.metrics: '{name}' needs {(missing.HasFlag(MetricNeeds.Statistics) ? "evaluation.images and evaluation.features" : "evaluation.mixture")}, "
                    + "which is not given.");
            }
        }
    }

    private static string MetricName(string family, int count) => MetricCatalog.NameOf(family, count);
}
