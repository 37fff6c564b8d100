using System.Globalization;

namespace OnnxDistill.Imaging;

/// <summary>One axis: its range, linear or logarithmic, where its ticks stand and what they say.</summary>
internal sealed record PlotAxis(double Min, double Max, bool IsLog = false)
{
    private const int WantedTicks = 6;

    /// <summary>An axis that holds all values with a margin of 5 percent; a single value stands in the middle.</summary>
    public static PlotAxis Around(IEnumerable<double> values, bool isLog)
    {
        var drawable = values.Where(value => CanShow(value, isLog)).Select(value => isLog ? Math.Log10(value) : value).ToArray();
        var (min, max) = drawable.Length == 0 ? (0, 1) : (drawable.Min(), drawable.Max());
        var margin = max > min ? 0.05 * (max - min) : isLog || max == 0 ? 0.5 : 0.5 * Math.Abs(max);
        return isLog
            ? new PlotAxis(Math.Pow(10, min - margin), Math.Pow(10, max + margin), true)
            : new PlotAxis(min - margin, max + margin);
    }

    /// <summary>Whether a value has a place on an axis of that kind.</summary>
    public static bool CanShow(double value, bool isLog) => double.IsFinite(value) && (!isLog || value > 0);

    /// <summary>Where a value stands, 0 at the axis' start and 1 at its end.</summary>
    public double Position(double value) => IsLog
        ? (Math.Log(value) - Math.Log(Min)) / (Math.Log(Max) - Math.Log(Min))
        : (value - Min) / (Max - Min);

    /// <summary>About six round numbers within the axis; on a logarithmic one powers of ten, with 2 and 5 times them when there are
    /// few.</summary>
    public IReadOnlyList<double> Ticks() => IsLog && Math.Log10(Max / Min) > 1 ? LogTicks() : LinearTicks();

    /// <summary>A short text of a tick: 250, 20k, 1.5M, 1e-5.</summary>
    public static string Label(double tick)
    {
        var size = Math.Abs(tick);
        var (scaled, suffix) = size switch
        {
            >= 1e9 => (tick, ""),
            >= 1e6 => (tick / 1e6, "M"),
            >= 1e4 => (tick / 1e3, "k"),
            _ => (tick, ""),
        };
        var format = size is >= 1e9 or (> 0 and < 1e-3) ? "0.##e0" : "0.#####";
        return scaled.ToString(format, CultureInfo.InvariantCulture) + suffix;
    }

    private double[] LinearTicks()
    {
        var step = RoundStep((Max - Min) / WantedTicks);
        var first = (long)Math.Ceiling(Min / step - 1e-9);
        var last = (long)Math.Floor(Max / step + 1e-9);

        // Multiples, not a running sum, and rounded to the step's own digits: zero is exactly zero and 0.3 not 0.30000000000000004.
        var digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(step)) + 1, 0, 15);
        return [.. Enumerable.Range(0, (int)(last - first + 1)).Select(i => Math.Round((first + i) * step, digits))];
    }

    private double[] LogTicks()
    {
        var first = (int)Math.Floor(Math.Log10(Min));
        var last = (int)Math.Ceiling(Math.Log10(Max));
        double[] factors = last - first <= 4 ? [1, 2, 5] : [1];
        var stride = Math.Max(1, (last - first) / (WantedTicks + 1));
        return
        [
            .. Enumerable.Range(first, last - first + 1)
                .Where(decade => decade % stride == 0)
                .SelectMany(decade => factors.Select(factor => factor * Math.Pow(10, decade)))
                .Where(tick => tick >= Min && tick <= Max),
        ];
    }

    /// <summary>The smallest of 1, 2, 5 times a power of ten that is no smaller.</summary>
    private static double RoundStep(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return (least / power) switch
        {
            <= 1 => power,
            <= 2 => 2 * power,
            <= 5 => 5 * power,
            _ => 10 * power,
        };
    }
}
