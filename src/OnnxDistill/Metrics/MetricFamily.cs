namespace OnnxDistill.Metrics;

/// <summary>Metrics that differ only in how many samples they judge, and by whose features.</summary>
/// <param name="Name">The first part of their names.</param>
/// <param name="Description">What they measure, in a few words.</param>
/// <param name="Create">Makes the metric of a name.</param>
/// <param name="By">Whose output is judged; names end in that network's.</param>
public sealed record MetricFamily(string Name, string Description, Func<MetricName, IMetric> Create, MetricNetwork By = MetricNetwork.None);

/// <summary>The network whose output a metric judges.</summary>
public enum MetricNetwork
{
    /// <summary>None: the samples themselves.</summary>
    None,

    /// <summary>An extractor of features.</summary>
    Extractor,

    /// <summary>A classifier.</summary>
    Classifier,
}
