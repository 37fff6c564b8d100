using System.Numerics.Tensors;
using OnnxDistill.Data;
using OnnxDistill.Data.Images;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Metrics;

/// <summary>Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991) with k = 3: a set's manifold is the union of balls around its members in feature space,
/// each as wide as the distance to its third nearest neighbour within the set. Precision is the share of samples on the reference's manifold (what is drawn looks real),
/// recall the share of the reference on the samples' (what is real is drawn).</summary>
/// <remarks><c>name.precision</c> and <c>name.recall</c>. Both depend on how many there are of each side, so as many of a larger reference as there are samples are drawn by
/// counter. Features that are not finite lie on no manifold.</remarks>
public sealed class PrecisionRecall : IMetric
{
    private const int Neighbour = 3;

    /// <summary>Both over that many samples, in the features of that extractor (its short name; empty when it has none).</summary>
    public PrecisionRecall(int sampleCount, string extractor = "")
    {
        Name = MetricCatalog.NameOf("pr", sampleCount, extractor);
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
        var (samples, reference) = (inputs.SamplesFor(this), Some(inputs.ReferenceFeaturesFor(this)));
        return new MetricResult(Name, ("precision", ShareOn(samples, reference)), ("recall", ShareOn(reference, samples)));
    }

    private SampleSet Some(SampleSet reference)
    {
        if (reference.Count <= SampleCount)
            return reference;
        var order = new EpochOrder(0, StreamId.Named("pr/reference"), reference.Count);
        return reference.Select(Enumerable.Range(0, SampleCount).Select(i => order.At(i)));
    }

    private static double ShareOn(SampleSet points, SampleSet centres)
    {
        var radii = Radii(centres);
        var on = new bool[points.Count];
        Parallel.For(0, points.Count, i =>
        {
            for (var j = 0; j < centres.Count && !on[i]; j++)
                on[i] = TensorPrimitives.Distance(points[i], centres[j]) <= radii[j];
        });
        return on.Count(static found => found) / (double)on.Length;
    }

    // The distance of each to its k-th nearest other; NaN, a radius that nothing lies within, where there is none.
    private static float[] Radii(SampleSet set)
    {
        var radii = new float[set.Count];
        Parallel.For(0, set.Count, i =>
        {
            Span<float> nearest = stackalloc float[Neighbour];
            nearest.Fill(float.NaN);
            for (var j = 0; j < set.Count; j++)
            {
                if (j != i)
                    Keep(nearest, TensorPrimitives.Distance(set[i], set[j]));
            }
            radii[i] = nearest[^1];
        });
        return radii;
    }

    // The smallest ones in rising order; NaN stands for a place that is free.
    private static void Keep(Span<float> nearest, float distance)
    {
        if (float.IsNaN(distance) || nearest[^1] <= distance)
            return;
        var at = nearest.Length - 1;
        for (; at > 0 && !(nearest[at - 1] <= distance); at--)
            nearest[at] = nearest[at - 1];
        nearest[at] = distance;
    }
}
