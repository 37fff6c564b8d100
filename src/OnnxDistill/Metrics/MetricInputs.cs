using OnnxDistill.Data;

namespace OnnxDistill.Metrics;

/// <summary>What a metric may look at. Only what its <see cref="IMetric.Needs"/> names has to be set.</summary>
/// <param name="Samples">What is judged: the student's samples, or their features.</param>
public sealed record MetricInputs(SampleSet Samples)
{
    /// <summary>Samples of the target, in the same shape.</summary>
    public SampleSet? Reference { get; init; }

    /// <summary>Mean and covariance of the target's features.</summary>
    public ReferenceStatistics? Statistics { get; init; }

    /// <summary>Features of samples of the target, as long as those of the samples; any number.</summary>
    public SampleSet? ReferenceFeatures { get; init; }

    /// <summary>What a classifier makes of the samples.</summary>
    public ClassProbabilities? Classes { get; init; }

    /// <summary>The class of each sample.</summary>
    public IReadOnlyList<long>? Labels { get; init; }

    /// <summary>The target's density, for toy data.</summary>
    public GaussianMixture? Mixture { get; init; }

    /// <summary>The first samples, as many as the metric judges.</summary>
    internal SampleSet SamplesFor(IMetric metric) => FirstOf(Samples, nameof(Samples), metric);

    /// <summary>The first reference samples, as many as the metric judges.</summary>
    internal SampleSet ReferenceFor(IMetric metric) => FirstOf(Require(Reference, nameof(Reference), metric), nameof(Reference), metric);

    /// <summary>All of the reference's features, or an error that says who needs them.</summary>
    internal SampleSet ReferenceFeaturesFor(IMetric metric)
    {
        var found = Require(ReferenceFeatures, nameof(ReferenceFeatures), metric);
        return found.SampleSize != Samples.SampleSize ? throw new ArgumentException($"{metric.Name}: samples have {Samples.SampleSize} features, the reference has {found.SampleSize}.")
            : found.Count >= 2 ? found : throw new ArgumentException($"{metric.Name} needs at least 2 samples in {nameof(ReferenceFeatures)}, found {found.Count}.");
    }

    /// <summary>The class probabilities, or an error that says who needs them or how many are missing.</summary>
    internal ClassProbabilities ClassesFor(IMetric metric)
    {
        var found = Require(Classes, nameof(Classes), metric);
        return found.Samples >= metric.SampleCount ? found : throw Short(nameof(Classes), found.Samples, metric);
    }

    /// <summary>The labels, or an error that says who needs them or how many are missing.</summary>
    internal IReadOnlyList<long> LabelsFor(IMetric metric)
    {
        var found = Require(Labels, nameof(Labels), metric);
        return found.Count >= metric.SampleCount ? found : throw Short(nameof(Labels), found.Count, metric);
    }

    /// <summary>The statistics, or an error that says who needs them.</summary>
    internal ReferenceStatistics StatisticsFor(IMetric metric) => Require(Statistics, nameof(Statistics), metric);

    /// <summary>The mixture, or an error that says who needs it.</summary>
    internal GaussianMixture MixtureFor(IMetric metric)
    {
        var mixture = Require(Mixture, nameof(Mixture), metric);
        return mixture.Dimension == Samples.SampleSize
            ? mixture
            : throw new ArgumentException($"{metric.Name}: samples have {Samples.SampleSize} values, the mixture has {mixture.Dimension}.");
    }

    private static T Require<T>(T? input, string name, IMetric metric)
        where T : class =>
        input ?? throw new ArgumentException($"{metric.Name} needs {nameof(MetricInputs)}.{name}, which is not set.");

    private static SampleSet FirstOf(SampleSet set, string name, IMetric metric) =>
        set.Count >= metric.SampleCount
            ? set.Take(metric.SampleCount)
            : throw Short(name, set.Count, metric);

    private static ArgumentException Short(string name, int found, IMetric metric) =>
        new($"{metric.Name} needs {metric.SampleCount} samples in {name}, found {found}; give more, or ask for fewer.");
}
