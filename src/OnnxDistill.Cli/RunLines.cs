using System.Globalization;
using OnnxDistill.Training;

namespace OnnxDistill.Cli;

/// <summary>Shows a run as plain lines, one for each row of the log and a table for each snapshot; nothing under --json.</summary>
internal sealed class RunLines(Report report) : IRunObserver
{
    private const string Real = "real.";

    private static readonly string[] NotFinite = ["skipped_updates", "skipped_total", "non_finite_losses", "replaced_numbers"];

    private long _tenth;

    // A line every tenth of the way.
    public void Preparing(string what, long done, long count)
    {
        if (done * 10 / count == _tenth)
            return;
        _tenth = done * 10 / count;
        report.Line(string.Create(CultureInfo.InvariantCulture, $"{done,12:N0} / {count:N0}  {what}"));
    }

    public void Progress(RunProgress progress) => report.Line(string.Create(CultureInfo.InvariantCulture,
        $"{progress.ImagesSeen,12:N0} / {progress.Images:N0}  {Losses(progress)}  {Speed(progress)}"));

    public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics)
    {
        report.Line();
        MetricsTable(report, string.Create(CultureInfo.InvariantCulture, $"after {imagesSeen:N0}"), metrics);
        report.Line();
    }

    public void Note(string text) => report.Line(text);

    /// <summary>Metrics as rows; what a second set of real samples scores (see Evaluator.Yardstick) stands beside them.</summary>
    public static void MetricsTable(Report report, string title, IReadOnlyDictionary<string, double> metrics)
    {
        string Show(double number) => number.ToString("G5", CultureInfo.InvariantCulture);
        var names = metrics.Keys.Where(n => !n.StartsWith(Real, StringComparison.Ordinal)).ToList();
        var hasReal = names.Any(n => metrics.ContainsKey(Real + n));
        Column[] columns = [new(title), new("samples", IsNumber: true), .. hasReal ? [new Column("real data", IsNumber: true)] : Array.Empty<Column>()];
        report.Table(columns, names.Select(n => hasReal
            ? [n, Show(metrics[n]), metrics.TryGetValue(Real + n, out var real) ? Show(real) : ""]
            : new[] { n, Show(metrics[n]) }));
    }

    /// <summary>The losses of a row of the log, and what was not finite if anything was.</summary>
    public static string Losses(RunProgress progress) => string.Join("  ", [.. Named(progress, static (name, _) => IsLoss(name)), .. Named(progress, IsTrouble)]);

    /// <summary>What was not finite, if anything was.</summary>
    public static string Trouble(RunProgress progress) => string.Join("  ", Named(progress, IsTrouble));

    /// <summary>Whether a column of the log is a loss.</summary>
    public static bool IsLoss(string column) => column.StartsWith("loss_", StringComparison.Ordinal);

    private static bool IsTrouble(string column, double number) => number > 0 && NotFinite.Contains(column);

    private static IEnumerable<string> Named(RunProgress progress, Func<string, double, bool> take) => progress.Numbers.Where(n => take(n.Key, n.Value))
        .Select(n => string.Create(CultureInfo.InvariantCulture, $"{n.Key} {n.Value:G4}"));

    /// <summary>Speed and time left.</summary>
    public static string Speed(RunProgress progress) =>
        string.Create(CultureInfo.InvariantCulture, $"{Rate(progress.ImagesPerSecond)}/s  {Duration(progress.Remaining)} left");

    private static string Rate(double perSecond) => perSecond.ToString(perSecond < 100 ? "N1" : "N0", CultureInfo.InvariantCulture);

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours} h {time.Minutes:D2} min")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:D2} s");
}
