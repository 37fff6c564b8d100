namespace OnnxDistill.Metrics;

/// <summary>Metrics that differ only in how many samples they judge.</summary>
/// <param name="Name">The first part of their names.</param>
/// <param name="Description">What they measure, in a few words.</param>
/// <param name="Create">Makes the metric for a number of samples.</param>
public sealed record MetricFamily(string Name, string Description, Func<int, IMetric> Create);
