using OnnxDistill.Data;

namespace OnnxDistill.Metrics;

/// <summary>How evenly samples cover the modes of the target mixture. A sample belongs to its mode of largest responsibility when it lies
/// within <see cref="RadiusInStds"/> standard deviations of that mode's mean, else to none (two-dimensional true samples: 3.4e-4 to
/// none). A mode is covered when its share of all samples is within a factor <see cref="CoveredFactor"/> of its weight.</summary>
/// <remarks>
/// <c>name.covered</c> is the number of covered modes, <c>name.smallest_ratio</c> and <c>name.largest_ratio</c> the extremes of share /
/// weight over the modes, <c>name.off_mode</c> the share of samples that belong to none. A sample that is not finite belongs to none.
/// </remarks>
public sealed class ModeCoverage : IMetric
{
    /// <summary>How far from its mode's mean a sample still belongs to it.</summary>
    public const double RadiusInStds = 4;

    /// <summary>How far a covered mode's share may be off its weight, either way.</summary>
    public const double CoveredFactor = 2;

    /// <summary>The coverage by that many samples.</summary>
    public ModeCoverage(int sampleCount)
    {
        Name = MetricCatalog.NameOf("coverage", sampleCount);
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
        var counts = CountByMode(samples, mixture);
        var ratios = new double[mixture.ModeCount];
        for (var k = 0; k < ratios.Length; k++)
        {
            ratios[k] = counts[k] / (samples.Count * mixture.Weights[k]);
        }

        return new MetricResult(
            Name,
            ("covered", ratios.Count(static ratio => ratio is >= 1 / CoveredFactor and <= CoveredFactor)),
            ("smallest_ratio", ratios.Min()),
            ("largest_ratio", ratios.Max()),
            ("off_mode", 1 - (double)counts.Sum() / samples.Count));
    }

    private static int[] CountByMode(SampleSet samples, GaussianMixture mixture)
    {
        var counts = new int[mixture.ModeCount];
        var point = new double[samples.SampleSize];
        for (var i = 0; i < samples.Count; i++)
        {
            samples.CopyTo(i, point);
            var mode = mixture.MostResponsibleMode(point);
            if (mode >= 0 && mixture.DistanceInStds(point, mode) <= RadiusInStds)
            {
                counts[mode]++;
            }
        }

        return counts;
    }
}
