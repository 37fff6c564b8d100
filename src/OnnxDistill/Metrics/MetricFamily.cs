namespace OnnxDistill.Metrics;

/// <summary>Metrics that differ only in how many samples they judge, and by whose features.</summary>
/// <param name="Name">The first part of their names.</param>
/// <param name="Description">What they measure, in a few words.</param>
/// <param name="Create">Makes the metric of a name.</param>
/// <param name="OfFeatures">Whether features are judged, so that names end in an extractor's.</param>
public sealed record MetricFamily(string Name, string Description, Func<MetricName, IMetric> Create, bool OfFeatures = false);
