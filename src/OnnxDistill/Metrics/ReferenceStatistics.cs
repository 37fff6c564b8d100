using OnnxDistill.Data;

namespace OnnxDistill.Metrics;

/// <summary>Mean and unbiased covariance of features: all that the Frechet distance needs to know of a data set.</summary>
/// <param name="Count">How many samples they were taken over; 0 when that is not known.</param>
/// <param name="Mean">The mean of each feature.</param>
/// <param name="Covariance">The covariance matrix, row-major and symmetric, divided by <paramref name="Count"/> - 1.</param>
public sealed record ReferenceStatistics(long Count, double[] Mean, double[] Covariance)
{
    /// <summary>How many features a sample has.</summary>
    public int Dimension => Mean.Length;

    /// <summary>The statistics of a set that is in memory as a whole; see <see cref="StatisticsAccumulator"/> for one that is
    /// not.</summary>
    public static ReferenceStatistics Of(SampleSet features)
    {
        ArgumentNullException.ThrowIfNull(features);
        var accumulator = new StatisticsAccumulator(features.SampleSize);
        accumulator.Add(features.Data);
        return accumulator.ToStatistics();
    }
}
