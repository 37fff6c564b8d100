namespace OnnxDistill.Metrics;

/// <summary>Inception score (Salimans et al. 2016, arXiv 1606.03498) under any classifier: exp of the mean Kullback-Leibler divergence of each sample's class probabilities from
/// their mean, averaged over ten parts of the samples. From 1 (no sample tells its class, or all have one) to the number of classes. It knows no real images: it says
/// nothing of likeness to them.</summary>
/// <remarks><c>name.score</c> is the average, <c>name.deviation</c> the standard deviation over the parts.</remarks>
public sealed class InceptionScore : IMetric
{
    private const int Parts = 10;

    /// <summary>The score over that many samples, under that classifier (its short name; empty when it has none).</summary>
    public InceptionScore(int sampleCount, string classifier = "")
    {
        Name = MetricCatalog.NameOf("is", sampleCount, classifier);
        SampleCount = sampleCount;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int SampleCount { get; }

    /// <inheritdoc/>
    public MetricNeeds Needs => MetricNeeds.Classes;

    /// <inheritdoc/>
    public MetricResult Measure(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var classes = inputs.ClassesFor(this);
        var parts = Math.Min(Parts, SampleCount);
        var scores = Enumerable.Range(0, parts).Select(part => Score(classes, Start(part), Start(part + 1))).ToArray();
        var mean = scores.Average();
        return new MetricResult(Name, ("score", mean), ("deviation", Math.Sqrt(scores.Average(score => (score - mean) * (score - mean)))));

        int Start(int part) => (int)((long)SampleCount * part / parts);
    }

    private static double Score(ClassProbabilities classes, int first, int end)
    {
        var marginal = new double[classes.Count];
        for (var i = first; i < end; i++)
        {
            for (var c = 0; c < marginal.Length; c++)
                marginal[c] += classes[i][c] / (end - first);
        }
        var divergence = 0.0;
        for (var i = first; i < end; i++)
        {
            for (var c = 0; c < marginal.Length; c++)
            {
                // p log p is 0 at 0; where p is not, neither is the mean. NaN goes through.
                if (classes[i][c] is not 0 and var p)
                    divergence += p * Math.Log(p / marginal[c]) / (end - first);
            }
        }
        return Math.Exp(divergence);
    }
}
