namespace OnnxDistill.Metrics;

/// <summary>All metrics, by the name of their family. A metric's full name is its family, how many samples it judges, and for metrics of features the
/// extractor: <c>mmd10k</c>, <c>coverage500</c>, <c>fd10k-mnist-cnn</c>.</summary>
public static class MetricCatalog
{
    private static readonly MetricFamily[] Families =
    [
        new("accuracy", "samples in which a classifier sees the class that was asked for", static name => new ClassAccuracy(name.SampleCount, name.Extractor), MetricNetwork.Classifier),
        new("coverage", "modes of a mixture that the samples cover", static name => new ModeCoverage(name.SampleCount)),
        new("fd", "Frechet distance of the features to reference statistics", static name => new FrechetDistance(name.SampleCount, name.Extractor), MetricNetwork.Extractor),
        new("is", "inception score under a classifier", static name => new InceptionScore(name.SampleCount, name.Extractor), MetricNetwork.Classifier),
        new("kid", "kernel distance of the features to those of a reference", static name => new KernelDistance(name.SampleCount, name.Extractor), MetricNetwork.Extractor),
        new("logp", "mean log-density of the samples under a mixture", static name => new MeanLogDensity(name.SampleCount)),
        new("mmd", "maximum mean discrepancy to reference samples", static name => new MaximumMeanDiscrepancy(name.SampleCount)),
        new("pr", "precision and recall of the features, k = 3", static name => new PrecisionRecall(name.SampleCount, name.Extractor), MetricNetwork.Extractor),
    ];

    /// <summary>The families in alphabetical order.</summary>
    public static IReadOnlyList<MetricFamily> All => Families;

    /// <summary>The metric of that full name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="defaultCount">The sample count of a name without one; 0 when it has to have one.</param>
    /// <param name="extractor">The extractor of a name of features without one; empty for none.</param>
    /// <param name="classifier">The classifier of a name of classes without one; empty for none.</param>
    /// <exception cref="ArgumentException">No family or sample count of that name, or another network than that one; the message lists the
    /// families.</exception>
    public static IMetric Create(string name, int defaultCount = 0, string extractor = "", string classifier = "")
    {
        ArgumentNullException.ThrowIfNull(name);
        var parts = MetricName.TryParse(name, defaultCount);
        if (parts is not { } found || Families.FirstOrDefault(f => f.Name == found.Family) is not { } family)
        {
            throw new ArgumentException(
                $"There is no metric '{name}'. A metric is one of {string.Join(", ", Families.Select(static f => f.Name))} followed by " +
                "the number of samples, such as mmd10k or fd50k.",
                nameof(name));
        }

        if (family.By == MetricNetwork.None)
        {
            return found.Extractor.Length == 0 ? family.Create(found)
                : throw new ArgumentException($"'{name}' names an extractor, '{found.Extractor}', but {family.Name} judges the samples themselves: leave it out.", nameof(name));
        }

        var (what, network) = family.By == MetricNetwork.Extractor ? ("extractor", extractor) : ("classifier", classifier);
        return found.Extractor.Length == 0 || network.Length == 0 || found.Extractor == network
            ? family.Create(found with { Extractor = found.Extractor.Length > 0 ? found.Extractor : network })
            : throw new ArgumentException($"'{name}' is of the {what} '{found.Extractor}', found '{network}'; leave the name out to take that one.", nameof(name));
    }

    /// <summary>The full name.</summary>
    internal static string NameOf(string family, int sampleCount, string extractor = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleCount, 2);
        return new MetricName(family, sampleCount, extractor).ToString();
    }
}
