namespace OnnxDistill.Metrics;

/// <summary>One way to judge samples. Its name carries its settings (<c>fd50k-inception</c>: Frechet distance of 50,000 samples in the
/// features of that network), so numbers under one name are comparable. Immutable and safe to share.</summary>
public interface IMetric
{
    /// <summary>The full name, settings included; <see cref="MetricCatalog.Create"/> makes the same metric from it.</summary>
    string Name { get; }

    /// <summary>How many samples it judges; it uses the first that many and refuses fewer.</summary>
    int SampleCount { get; }

    /// <summary>What must be in the inputs besides samples.</summary>
    MetricNeeds Needs { get; }

    /// <summary>Judges the samples.</summary>
    /// <exception cref="ArgumentException">The inputs lack what <see cref="Needs"/> names, hold too few samples, or differ in
    /// shape.</exception>
    MetricResult Measure(MetricInputs inputs);
}
