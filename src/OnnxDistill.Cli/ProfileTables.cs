using System.Globalization;
using OnnxDistill.Training;

namespace OnnxDistill.Cli;

/// <summary>A training profile as tables: the ten dearest operators and nodes of each phase; as JSON all of them.</summary>
internal static class ProfileTables
{
    private const int Rows = 10;

    public static void Print(TrainingProfile profile, Report report)
    {
        report.Set("millisecondsPerIteration", profile.MillisecondsPerIteration);
        report.Set("phases", profile.Phases.Select(p => new { name = p.Key, milliseconds = p.Value.Milliseconds, operators = p.Value.Operators, nodes = p.Value.Nodes }));
        report.Line(string.Create(CultureInfo.InvariantCulture, $"an iteration takes {profile.MillisecondsPerIteration:F1} ms (median, profiled)"));
        foreach (var (name, phase) in profile.Phases)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"\nphase {name}: {phase.Nodes.Count:N0} nodes, {phase.Milliseconds:F1} ms; its dearest operators and nodes"));
            report.Table([new("operator"), new("nodes", true), new("ms", true), new("share", true)],
                phase.Operators.Take(Rows).Select(o => new[] { o.Operator, Number(o.Nodes, "N0"), Number(o.Milliseconds, "F2"), Number(o.Milliseconds / phase.Milliseconds, "P0") }));
            report.Line();
            report.Table([new("node"), new("operator"), new("output"), new("ms", true)],
                phase.Nodes.Take(Rows).Select(n => new[] { n.Name, n.Operator, n.OutputShape, Number(n.Milliseconds, "F2") }));
        }
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
