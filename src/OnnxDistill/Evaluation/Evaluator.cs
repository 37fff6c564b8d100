using OnnxDistill.Data;
using OnnxDistill.Data.Images;
using OnnxDistill.Metrics;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Sampling;

namespace OnnxDistill.Evaluation;

/// <summary>Measures samples against a reference (a known mixture, or real images by their features) and by a classifier. Loads the reference once. Owns sessions.</summary>
public sealed class Evaluator : IDisposable
{
    private readonly GaussianMixture? _mixture;
    private readonly SampleSet? _reference;
    private readonly IRankGroup? _ranks;
    private readonly FeatureExtractor? _extractor, _classifier;
    private readonly Lazy<SampleSet>? _referenceFeatures;
    private readonly Lazy<ReferenceStatistics>? _statistics;
    private readonly Lazy<IReadOnlyDictionary<string, double>> _yardstick;
    private readonly List<IMetric> _metrics;
    private readonly bool _isDefault;

    /// <summary>An evaluator for these options; without a reference and a classifier it measures nothing.</summary>
    /// <param name="options">What is measured.</param>
    /// <param name="ranks">Processes that share the features and all measure; null for this one alone.</param>
    /// <exception cref="RecipeException">A metric is not known or lacks what it needs, or images come without a feature extractor.</exception>
    public Evaluator(EvaluationOptions options, IRankGroup? ranks = null)
    {
        (Options, _ranks) = (options, ranks);
        EvaluationCheck.Require(options);
        _isDefault = options.Metrics.Length == 0 && options.Samples > 1;
        if (options.Mixture.Length > 0)
        {
            _mixture = GaussianMixtureCsv.Read(options.Mixture);
            _reference = DrawReference(_mixture, options.Samples, seed: 1);
        }
        try
        {
            if (options.Images.Length > 0)
                _extractor = new FeatureExtractor(options.Features, options.FeatureTensor, options.FeatureInput, SharedBatches.Device(ranks));
            if (options.Classifier.Length > 0)
                _classifier = new FeatureExtractor(options.Classifier, options.ClassifierTensor, options.ClassifierInput ?? options.FeatureInput, SharedBatches.Device(ranks), "classifier");
            var (extractor, classifier) = (NameOf(options.FeatureName, _extractor), NameOf(options.ClassifierName, _classifier));
            _metrics = (_isDefault ? Default() : options.Metrics).Select(name => EvaluationCheck.Metric(name, options, extractor, classifier)).ToList();
        }
        catch (RecipeException)
        {
            Dispose();
            throw;
        }
        if (_extractor is not null)
        {
            _referenceFeatures = new Lazy<SampleSet>(ReadReference);
            _statistics = new Lazy<ReferenceStatistics>(() => StatisticsFile.IsOne(options.Images) ? StatisticsFile.Read(options.Images) : ReferenceStatistics.Of(_referenceFeatures.Value));
        }
        _yardstick = new Lazy<IReadOnlyDictionary<string, double>>(() =>
            _mixture is null ? new Dictionary<string, double>() : Of(DrawReference(_mixture, SampleCount, seed: 2), null, null));
    }

    /// <summary>The options.</summary>
    public EvaluationOptions Options { get; }

    /// <summary>Points of the true mixture, for plots; null for images.</summary>
    public SampleSet? Reference => _reference;

    /// <summary>Mean and covariance of the reference images' features; null for a mixture.</summary>
    public ReferenceStatistics? Statistics => _statistics?.Value;

    /// <summary>Samples that the metrics need.</summary>
    public int SampleCount => _metrics.Count == 0 ? 0 : _metrics.Max(m => m.SampleCount);

    /// <summary>Every metric's numbers of a second set of real samples, by name: what a perfect student would score. Empty for images.</summary>
    public IReadOnlyDictionary<string, double> Yardstick => _yardstick.Value;

    /// <summary>Every metric's numbers, by name; beside those of a mixture, under <c>real.</c>, the <see cref="Yardstick"/>.</summary>
    /// <exception cref="RecipeException">The samples do not have the size that the extractor takes, lack labels, or are fewer than a metric needs.</exception>
    public IReadOnlyDictionary<string, double> Measure(SampleSet samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        RequireCount(samples.Count);
        var numbers = Of(_extractor is null ? samples : _extractor.Features(samples, ranks: _ranks), _classifier?.Features(samples, ranks: _ranks), samples.Labels);
        foreach (var (name, number) in Yardstick)
            numbers[$"real.{name}"] = number;
        return numbers;
    }

    /// <summary>Every metric's numbers of a set of images instead of a network's samples; of a larger set as many as are needed, see <see cref="Choose"/>.</summary>
    /// <param name="images">The images.</param>
    /// <param name="seed">Which of them.</param>
    /// <exception cref="RecipeException">The reference is a mixture, or the images are too few, lack labels or do not have the size that the extractor takes.</exception>
    public IReadOnlyDictionary<string, double> Measure(IImageSource images, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (_mixture is not null)
            throw new RecipeException("Images are compared with images, found a mixture as the reference. Give the images' folder or file, and features.");
        RequireCount(images.Count);
        if (SampleCount == 0)
            return new Dictionary<string, double>();
        var chosen = Choose(images.Count, SampleCount, seed);
        var classes = _classifier?.Features(images, chosen, _ranks);
        return Of(_extractor?.Features(images, chosen, _ranks) ?? classes!, classes, // without an extractor there is a classifier, or no metric
            images.Labels > 0 ? Array.ConvertAll(chosen, i => (long)images.Label(i)) : null);
    }

    /// <summary>Indices of some of a data set, in rising order, drawn by counter from a seed. Neither the first ones nor every n-th: sets are sorted by class, or
    /// alternate between two sources as MNIST does (every sixth digit is 2.7 away from the test digits, as many random ones are 0.7).</summary>
    public static int[] Choose(int all, int count, long seed)
    {
        var order = new EpochOrder(seed, StreamId.Named("reference/chosen"), all);
        return [.. Enumerable.Range(0, Math.Min(all, count)).Select(i => order.At(i)).Order()];
    }

    private SortedDictionary<string, double> Of(SampleSet features, SampleSet? classes, long[]? labels)
    {
        var numbers = new SortedDictionary<string, double>(StringComparer.Ordinal);
        bool Need(MetricNeeds need) => _metrics.Exists(m => m.Needs.HasFlag(need));
        var statistics = Need(MetricNeeds.Statistics) ? _statistics?.Value : null;
        var reference = Need(MetricNeeds.ReferenceFeatures) ? _referenceFeatures?.Value ?? _reference : null;
        if ((statistics?.Dimension ?? reference?.SampleSize) is { } dimension && dimension != features.SampleSize && _extractor is not null)
        {
            throw new RecipeException($"evaluation.images: '{Options.Images}' has statistics of {dimension} features, but '{Options.Features}' gives {features.SampleSize}: "
                + "they are of another network or tensor (--features MODEL:TENSOR).");
        }
        var inputs = new MetricInputs(features)
        {
            Mixture = _mixture,
            Reference = _reference,
            ReferenceFeatures = reference,
            Statistics = statistics,
            Classes = classes is null ? null : new ClassProbabilities(classes),
            Labels = labels,
        };
        foreach (var metric in _metrics)
        {
            if (labels is null && metric.Needs.HasFlag(MetricNeeds.Labels))
            {
                // Nobody asked for it by name.
                if (_isDefault)
                    continue;
                throw new RecipeException($"evaluation.metrics: {metric.Name} needs samples of known classes, but the generator takes no label, or the images have none. Leave it out.");
            }
            try
            {
                foreach (var (name, number) in metric.Measure(inputs).Values)
                    numbers[name] = number;
            }
            catch (ArgumentException error)
            {
                throw new RecipeException($"evaluation.metrics: {error.Message}", error);
            }
        }
        return numbers;
    }

    private IEnumerable<string> Default() =>
    [
        .. _mixture is null ? Array.Empty<string>() : ["logp", "mmd", "coverage"],
        .. _extractor is null ? Array.Empty<string>() : ["fd"],
        .. _classifier is null ? Array.Empty<string>() : ["is", "accuracy"],
    ];

    private static string NameOf(string given, FeatureExtractor? network) => given.Length > 0 ? given : network?.Name ?? "";

    private void RequireCount(int found)
    {
        if (found < SampleCount)
            throw new RecipeException($"The metrics need {SampleCount} samples, found {found}; ask for fewer with --count, or give more.");
    }

    private SampleSet ReadReference()
    {
        using var images = ImageSources.Open(new DataOptions { Images = Options.Images, Size = Options.ImageSize });
        return _extractor!.Features(images, ranks: _ranks); // asked for where there is one
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
    public void Dispose()
    {
        _extractor?.Dispose();
        _classifier?.Dispose();
    }
}
