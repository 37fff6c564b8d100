namespace OnnxDistill.Metrics;

/// <summary>What a metric found, as named numbers.</summary>
public sealed record MetricResult
{
    /// <summary>A result of the metric of that name.</summary>
    /// <param name="metric">The metric's full name.</param>
    /// <param name="numbers">Names within the metric and numbers, the headline first; kept in this order.</param>
    public MetricResult(string metric, params IEnumerable<(string Name, double Number)> numbers)
    {
        Metric = metric;
        var values = new OrderedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, number) in numbers)
        {
            values.Add($"{metric}.{name}", number);
        }

        Values = values;
    }

    /// <summary>The metric's full name.</summary>
    public string Metric { get; }

    /// <summary>The numbers under their column names for metrics.csv, <c>metric.name</c>, in a fixed order, the headline first.</summary>
    public IReadOnlyDictionary<string, double> Values { get; }

    /// <summary>One number by its name within the metric.</summary>
    public double this[string name] => Values[$"{Metric}.{name}"];

    /// <summary>The number to look at first.</summary>
    public double Headline => Values.First().Value;
}
