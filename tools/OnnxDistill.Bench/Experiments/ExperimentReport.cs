using System.Globalization;
using System.Text;
using OnnxDistill.Imaging;

namespace OnnxDistill.Bench.Experiments;

/// <summary>Curves, plot and table of the finished runs of a list.</summary>
internal sealed class ExperimentReport(Experiment experiment, IReadOnlyList<(ExperimentRun Run, RunOutcome Outcome)> results)
{
    /// <summary>Writes NAME.csv, NAME.png and TABLE.md.</summary>
    public void Write(string folder, string curves, string table)
    {
        File.WriteAllText(Path.Combine(folder, $"{curves}.csv"), Curves());
        File.WriteAllBytes(Path.Combine(folder, $"{curves}.png"), Plot());
        File.WriteAllText(Path.Combine(folder, $"{table}.md"), Table());
    }

    private string Curves()
    {
        var text = new StringBuilder("method,group,seconds,images,metric,value\n");
        foreach (var (run, outcome) in results)
        {
            foreach (var row in outcome.Rows)
            {
                foreach (var name in experiment.Metrics.Select(m => m.Name))
                    text.Append(CultureInfo.InvariantCulture, $"{run.Name},{run.Group},{row.Seconds:R},{row.Images},{name},{Number(row.Metrics, name):G7}\n");
            }
        }
        return text.ToString();
    }

    // A row of panels a metric, a column a group; a method looks the same everywhere.
    private byte[] Plot()
    {
        var names = experiment.Runs.Select(r => r.Name).Distinct().ToList();
        var groups = experiment.Runs.Select(r => r.Group).Distinct().ToList();
        var panels = experiment.Metrics.SelectMany(metric => groups.Select(group => new LinePlot(
            $"{(metric.Title.Length > 0 ? metric.Title : metric.Name)}{(group.Length > 0 ? $", {group}" : "")}",
            [.. results.Where(r => r.Run.Group == group).Select(r => new LineSeries(r.Run.Name,
                [.. r.Outcome.Rows.Select(row => experiment.Against == Axis.Seconds ? row.Seconds : row.Images)],
                [.. r.Outcome.Rows.Select(row => Number(row.Metrics, metric.Name))]) { Look = names.IndexOf(r.Run.Name) })])
        {
            XLabel = experiment.Against == Axis.Seconds ? "seconds of training, one core" : "images seen",
            LogY = metric.Log,
            MinY = metric.From,
            MaxY = metric.To,
        }));
        return new PanelPlot(experiment.Title, [.. panels], groups.Count).ToPng();
    }

    private string Table()
    {
        var page = new StringBuilder();
        void Line(FormattableString text) => page.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"# {experiment.Title}\n");
        Line($"Written by `tools/OnnxDistill.Bench compare` on a machine of the kind `{Machine.Name()}`, one thread a run unless the list says otherwise. Seconds are those of training: snapshots, metrics and states do not count.\n");
        var groups = experiment.Runs.Any(r => r.Group.Length > 0);
        Line($"| method |{(groups ? " group |" : "")} {string.Join(" | ", experiment.Metrics.Select(m => m.Title.Length > 0 ? $"{m.Title} (`{m.Name}`)" : $"`{m.Name}`"))} | images | seconds | seconds per 1,000 images | peak memory, MB |");
        Line($"| --- |{(groups ? " --- |" : "")}{string.Concat(experiment.Metrics.Select(_ => " --- |"))} --- | --- | --- | --- |");
        foreach (var (run, outcome) in results)
        {
            var metrics = string.Join(" | ", experiment.Metrics.Select(m => Number(outcome.Rows[^1].Metrics, m.Name).ToString("G4", CultureInfo.InvariantCulture)));
            Line($"| {run.Name} |{(groups ? $" {run.Group} |" : "")} {metrics} | {outcome.Images:N0} | {outcome.Seconds:G3} | {outcome.Seconds / outcome.Images * 1000:G3} | {outcome.PeakMegabytes:F0} |");
        }
        return page.ToString();
    }

    private static double Number(IReadOnlyDictionary<string, double> metrics, string name) => metrics.TryGetValue(name, out var value) ? value
        : throw new InvalidOperationException($"There is no metric '{name}'; found {string.Join(", ", metrics.Keys.Order(StringComparer.Ordinal))}.");
}
