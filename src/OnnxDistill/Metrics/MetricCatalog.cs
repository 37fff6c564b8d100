using System.Globalization;

namespace OnnxDistill.Metrics;

/// <summary>All metrics, by the name of their family. A metric's full name is its family and how many samples it judges: <c>mmd10k</c>,
/// <c>coverage500</c>.</summary>
public static class MetricCatalog
{
    private const int Thousand = 1000;

    private static readonly MetricFamily[] Families =
    [
        new("coverage", "modes of a mixture that the samples cover", static count => new ModeCoverage(count)),
        new("fid", "Frechet distance of the features to reference statistics", static count => new FrechetDistance(count)),
        new("logp", "mean log-density of the samples under a mixture", static count => new MeanLogDensity(count)),
        new("mmd", "maximum mean discrepancy to reference samples", static count => new MaximumMeanDiscrepancy(count)),
    ];

    /// <summary>The families in alphabetical order.</summary>
    public static IReadOnlyList<MetricFamily> All => Families;

    /// <summary>The metric of that full name.</summary>
    /// <exception cref="ArgumentException">No family or sample count of that name; the message lists the families.</exception>
    public static IMetric Create(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var family = Families.FirstOrDefault(family => TryCount(name, family.Name, out _));
        return family is not null && TryCount(name, family.Name, out var count)
            ? family.Create(count)
            : throw new ArgumentException(
                $"There is no metric '{name}'. A metric is one of {string.Join(", ", Families.Select(static f => f.Name))} followed by " +
                "the number of samples, such as mmd10k or fid50k.",
                nameof(name));
    }

    /// <summary>The full name: thousands are written with k.</summary>
    internal static string NameOf(string family, int sampleCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleCount, 2);
        return sampleCount % Thousand == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{family}{sampleCount / Thousand}k")
            : string.Create(CultureInfo.InvariantCulture, $"{family}{sampleCount}");
    }

    private static bool TryCount(string name, string family, out int count)
    {
        count = 0;
        if (!name.StartsWith(family, StringComparison.Ordinal))
        {
            return false;
        }

        var number = name.AsSpan(family.Length);
        var unit = number.EndsWith("k") ? Thousand : 1;
        return int.TryParse(unit == Thousand ? number[..^1] : number, NumberStyles.None, CultureInfo.InvariantCulture, out var units)
            && units <= int.MaxValue / unit
            && (count = units * unit) >= 2;
    }
}
