using System.Numerics.Tensors;
using OnnxDistill.Data;
using OnnxDistill.Data.Images;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Metrics;

/// <summary>Kernel distance between the features of samples and of a reference (Binkowski et al. 2018, arXiv 1801.01401; with Inception-v3 features this is KID): the
/// unbiased estimate of the squared maximum mean discrepancy with k(x, y) = (x'y / d + 1)^3 over d features, averaged over 100 subsets of 1,000 samples of each side
/// (of all, where there are fewer), drawn by counter. Unlike the Frechet distance its mean does not depend on the number of samples.</summary>
/// <remarks><c>name.distance</c> is the average, which may fall below 0; <c>name.deviation</c> is the standard deviation over the subsets.</remarks>
public sealed class KernelDistance : IMetric
{
    private const int Subsets = 100;
    private const int SubsetSize = 1000;

    /// <summary>The distance over that many samples, in the features of that extractor (its short name; empty when it has none).</summary>
    public KernelDistance(int sampleCount, string extractor = "")
    {
        Name = MetricCatalog.NameOf("kid", sampleCount, extractor);
        SampleCount = sampleCount;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int SampleCount { get; }

    /// <inheritdoc/>
    public MetricNeeds Needs => MetricNeeds.Features | MetricNeeds.ReferenceFeatures;

    /// <inheritdoc/>
    public MetricResult Measure(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var (samples, reference) = (inputs.SamplesFor(this), inputs.ReferenceFeaturesFor(this));
        var size = Math.Min(SubsetSize, Math.Min(samples.Count, reference.Count));
        // One subset is all there is to draw where both sides are no larger than it.
        var subsets = size == samples.Count && size == reference.Count ? 1 : Subsets;
        var found = new double[subsets];
        for (var i = 0; i < subsets; i++)
            found[i] = Squared(Subset(samples, size, i, "kid/samples"), Subset(reference, size, i, "kid/reference"));
        var mean = found.Average();
        return new MetricResult(Name, ("distance", mean), ("deviation", Math.Sqrt(found.Average(value => (value - mean) * (value - mean)))));
    }

    // In double: the distance is a small difference of large means.
    private static double[][] Subset(SampleSet set, int size, int subset, string stream)
    {
        var order = new EpochOrder(subset, StreamId.Named(stream), set.Count);
        var rows = new double[size][];
        for (var i = 0; i < size; i++)
        {
            rows[i] = new double[set.SampleSize];
            set.CopyTo(order.At(i), rows[i]);
        }
        return rows;
    }

    private static double Squared(double[][] x, double[][] y)
    {
        double count = x.Length;
        return ((Others(x) + Others(y)) / (count * (count - 1))) - (2 * Sum(x.Length, i => Row(x[i], y)) / (count * count));
    }

    // Over all pairs of two different ones, each pair once and doubled.
    private static double Others(double[][] x) => 2 * Sum(x.Length, i => Row(x[i], x.AsSpan(0, i)));

    // Row by row, then over the rows in order: the result does not depend on the number of threads.
    private static double Sum(int count, Func<int, double> row)
    {
        var rows = new double[count];
        Parallel.For(0, count, i => rows[i] = row(i));
        return rows.Sum();
    }

    private static double Row(double[] x, ReadOnlySpan<double[]> others)
    {
        var sum = 0.0;
        foreach (var y in others)
        {
            var inner = (TensorPrimitives.Dot<double>(x, y) / x.Length) + 1;
            sum += inner * inner * inner;
        }
        return sum;
    }
}
