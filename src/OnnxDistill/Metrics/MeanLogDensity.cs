namespace OnnxDistill.Metrics;

/// <summary>The mean log-density of samples under the target mixture, in nats. It rewards precision only: a student that sits on one mode
/// scores well, so read it together with <see cref="ModeCoverage"/>.</summary>
/// <remarks><c>name.mean</c> is the mean, <c>name.standard_error</c> its standard error. A sample that is not finite makes both
/// NaN.</remarks>
public sealed class MeanLogDensity : IMetric
{
    /// <summary>The mean over that many samples.</summary>
    public MeanLogDensity(int sampleCount)
    {
        Name = MetricCatalog.NameOf("logp", sampleCount);
        SampleCount = sampleCount;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int SampleCount { get; }

    /// <inheritdoc/>
    public MetricNeeds Needs => MetricNeeds.Mixture;

    /// <inheritdoc/>
    public MetricResult Measure(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var mixture = inputs.MixtureFor(this);
        var samples = inputs.SamplesFor(this);
        var logDensities = new double[samples.Count];
        var point = new double[samples.SampleSize];
        for (var i = 0; i < samples.Count; i++)
        {
            samples.CopyTo(i, point);
            logDensities[i] = mixture.LogDensity(point);
        }

        var mean = logDensities.Average();
        var variance = logDensities.Sum(logDensity => (logDensity - mean) * (logDensity - mean)) / (samples.Count - 1);
        return new MetricResult(Name, ("mean", mean), ("standard_error", Math.Sqrt(variance / samples.Count)));
    }
}
