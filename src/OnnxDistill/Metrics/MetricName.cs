using System.Globalization;
using System.Text.RegularExpressions;

namespace OnnxDistill.Metrics;

/// <summary>A metric's full name in its parts: what is measured, over how many samples, in whose features: <c>fd10k-mnist-cnn</c>. Numbers under one name
/// are comparable.</summary>
/// <param name="Family">The family, see <see cref="MetricCatalog.All"/>.</param>
/// <param name="SampleCount">How many samples it judges, at least 2.</param>
/// <param name="Extractor">Short name of the network whose features or classes are judged; empty for the samples themselves, or where it is not known yet.</param>
public readonly partial record struct MetricName(string Family, int SampleCount, string Extractor = "")
{
    private const int Thousand = 1000;

    /// <summary>Reads a name; null when it is none.</summary>
    /// <param name="text">The name; thousands may be written with k.</param>
    /// <param name="defaultCount">The sample count of a name without one; 0 when it has to have one.</param>
    public static MetricName? TryParse(string text, int defaultCount = 0)
    {
        var match = Pattern().Match(text);
        if (!match.Success)
        {
            return null;
        }

        var unit = match.Groups["k"].Length > 0 ? Thousand : 1;
        long count = defaultCount;
        if (match.Groups["count"].Success)
        {
            count = int.TryParse(match.Groups["count"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var units) ? (long)units * unit : 0;
        }

        return count is >= 2 and <= int.MaxValue ? new MetricName(match.Groups["family"].Value, (int)count, match.Groups["extractor"].Value) : null;
    }

    /// <summary>The part of a name that stands for an extractor: letters, digits and single hyphens, whatever the text has between them.</summary>
    public static string ShortName(string text) => Separators().Replace(text, "-").Trim('-');

    /// <summary>The name; thousands are written with k.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Family}{(SampleCount % Thousand == 0 ? SampleCount / Thousand : SampleCount)}{(SampleCount % Thousand == 0 ? "k" : "")}{(Extractor.Length > 0 ? "-" : "")}{Extractor}");

    [GeneratedRegex("^(?<family>[a-z]+)((?<count>[0-9]+)(?<k>k?))?(-(?<extractor>[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*))?$")]
    private static partial Regex Pattern();

    [GeneratedRegex("[^A-Za-z0-9_]+")]
    private static partial Regex Separators();
}
