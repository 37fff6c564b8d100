using OnnxDistill.Data;

namespace OnnxDistill.Metrics;

/// <summary>Maximum mean discrepancy with Gaussian kernels (Gretton et al. 2012; settings of methods.md section 3.9). For each bandwidth
/// b in {1/4, 1/2, 1, 2, 4} and k(x, y) = exp(-|x - y|^2 / (2 b^2)) the V-statistic mean k(x, x') + mean k(y, y') - 2 mean k(x, y), pairs
/// of a sample with itself included, estimates the <b>squared</b> discrepancy; the values are averaged over the bandwidths.</summary>
/// <remarks><c>name.mmd2</c> is that average (squared, never negative up to rounding); <c>name.mmd</c> is its root.</remarks>
public sealed class MaximumMeanDiscrepancy : IMetric
{
    /// <summary>The discrepancy of that many samples to as many of the reference.</summary>
    public MaximumMeanDiscrepancy(int sampleCount)
    {
        Name = MetricCatalog.NameOf("mmd", sampleCount);
        SampleCount = sampleCount;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int SampleCount { get; }

    /// <inheritdoc/>
    public MetricNeeds Needs => MetricNeeds.Reference;

    /// <inheritdoc/>
    public MetricResult Measure(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var squared = Squared(inputs.SamplesFor(this), inputs.ReferenceFor(this));
        return new MetricResult(Name, ("mmd2", squared), ("mmd", Math.Sqrt(Math.Max(0, squared))));
    }

    /// <summary>The squared discrepancy, averaged over the bandwidths, of two sets of any sizes.</summary>
    public static double Squared(SampleSet samples, SampleSet reference)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(reference);
        if (samples.SampleSize != reference.SampleSize || samples.Count == 0 || reference.Count == 0)
        {
            throw new ArgumentException(
                $"Two sets of equally long samples are needed; found {samples.Count} of {samples.SampleSize} values and " +
                $"{reference.Count} of {reference.SampleSize}.");
        }

        var x = new GaussianKernelSums(samples);
        var y = new GaussianKernelSums(reference);
        return x.MeanOverPairs(x) + y.MeanOverPairs(y) - 2 * x.MeanOverPairs(y);
    }
}
