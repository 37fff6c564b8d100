using System.Globalization;
using System.Text.Json.Nodes;

namespace OnnxDistill.Training;

/// <summary>Means of what iterations report between two rows of the log. Part of the saved state: a run that is stopped between two rows
/// and resumed writes the same next row as an unbroken one, but for the speed.</summary>
internal sealed class RowAccumulator
{
    private readonly SortedDictionary<string, (double Sum, long Count)> _sums = new(StringComparer.Ordinal);
    private long _skipped;
    private long _overflows;
    private long _nonFiniteLosses;
    private long _replaced;
    private long _started = TimeProvider.System.GetTimestamp();
    private long _samples;

    /// <param name="saved">What <see cref="Save"/> gave, to go on from there; the speed counts from now.</param>
    public RowAccumulator(JsonObject? saved = null)
    {
        if (saved is null)
            return;
        _skipped = saved["skipped"]!.GetValue<long>();
        _overflows = saved["overflows"]!.GetValue<long>();
        _nonFiniteLosses = saved["nonFiniteLosses"]!.GetValue<long>();
        _replaced = saved["replaced"]!.GetValue<long>();
        foreach (var (name, sum) in saved["sums"]!.AsObject())
            _sums[name] = (double.Parse(sum![0]!.GetValue<string>(), CultureInfo.InvariantCulture), sum[1]!.GetValue<long>());
    }

    public static IEnumerable<string> Columns(TrainingProgram program) =>
        new[] { StatsLog.SecondsColumn }.Concat(program.Graphs.Select(g => $"loss_{g.Phase.Name}")).Concat(program.Networks.Select(n => $"gradient_norm_{n.Role}"))
            .Concat(["skipped_updates", "skipped_total", "non_finite_losses", "replaced_numbers", "scale_overflows", "images_per_second"]);

    public void Add(IterationResult result, int batch)
    {
        foreach (var (phase, loss) in result.Losses)
            Put($"loss_{phase}", loss);
        foreach (var (role, norm) in result.GradientNorms)
            Put($"gradient_norm_{role}", norm);
        _skipped += result.Skipped;
        _overflows += result.Overflows;
        _nonFiniteLosses += result.NonFiniteLosses;
        _replaced += result.Replaced;
        _samples += batch;
    }

    /// <summary>The row, and a new one begun.</summary>
    /// <param name="skippedTotal">Updates left out in the whole run.</param>
    /// <param name="trained">Seconds of training in the whole run.</param>
    public (Dictionary<string, double> Numbers, double Speed) Take(long skippedTotal, double trained)
    {
        var seconds = TimeProvider.System.GetElapsedTime(_started).TotalSeconds;
        var speed = _samples / Math.Max(seconds, 1e-9);
        var numbers = _sums.ToDictionary(s => s.Key, s => s.Value.Sum / s.Value.Count);
        numbers[StatsLog.SecondsColumn] = trained;
        numbers["skipped_updates"] = _skipped;
        numbers["scale_overflows"] = _overflows;
        numbers["skipped_total"] = skippedTotal;
        numbers["non_finite_losses"] = _nonFiniteLosses;
        numbers["replaced_numbers"] = _replaced;
        numbers["images_per_second"] = double.Parse(speed.ToString("G5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        _sums.Clear();
        (_skipped, _nonFiniteLosses, _replaced, _overflows) = (0, 0, 0, 0);
        (_samples, _started) = (0, TimeProvider.System.GetTimestamp());
        return (numbers, speed);
    }

    // A snapshot between two rows is not training: its time does not count against the speed.
    public void Exclude(TimeSpan time) => _started += (long)(time.TotalSeconds * TimeProvider.System.TimestampFrequency);

    /// <summary>What has gathered since the last row. Sums are written as text, because a loss that is not finite is no JSON number.</summary>
    public JsonObject Save() => new()
    {
        ["skipped"] = _skipped,
        ["overflows"] = _overflows,
        ["nonFiniteLosses"] = _nonFiniteLosses,
        ["replaced"] = _replaced,
        ["sums"] = new JsonObject(_sums.Select(s => KeyValuePair.Create(s.Key,
            (JsonNode?)new JsonArray(s.Value.Sum.ToString("R", CultureInfo.InvariantCulture), s.Value.Count)))),
    };

    private void Put(string name, double value)
    {
        var (sum, count) = _sums.GetValueOrDefault(name);
        _sums[name] = (sum + value, count + 1);
    }
}
