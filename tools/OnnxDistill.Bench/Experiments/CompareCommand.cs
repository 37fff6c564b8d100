using System.Globalization;

namespace OnnxDistill.Bench.Experiments;

/// <summary><c>compare LIST</c>: runs what is not finished yet, then writes curves, plot and table of all that is.</summary>
internal sealed record CompareCommand
{
    public const string Word = "compare", ChildWord = "compare-run";

    public const string Usage = """
        OnnxDistill.Bench compare LIST [-o FOLDER] [--side-by-side K] [--only TEXT] [--report] [--write]
            runs the recipes of LIST (models/forty/compare.json) in processes of their own, K at a time, and goes on with what was stopped; writes
            curves.csv, curves.png and table.md in FOLDER (runs/<list's folder>-compare); --only runs whose name or group holds TEXT; --report runs
            nothing; --write puts the three files beside LIST as compare.csv, compare.png and compare.md
        """;

    public string List { get; init; } = "";

    public string Folder { get; init; } = "";

    public int SideBySide { get; init; } = 1;

    public string Only { get; init; } = "";

    public bool ReportOnly { get; init; }

    public bool Write { get; init; }

    /// <summary>Runs the command.</summary>
    /// <returns>The exit code: 0, or 5 when a run failed or was stopped.</returns>
    public static int Run(string[] args)
    {
        var command = Parse(args);
        var experiment = Experiment.Load(command.List);
        var failed = command.ReportOnly ? 0 : new RunQueue(command, experiment).RunAll();
        var results = experiment.Runs.Select(r => (Run: r, Result: RunOutcome.Read(Path.Combine(command.Folder, r.Folder)))).Where(r => r.Result is not null)
            .Select(r => (r.Run, r.Result!)).ToList();
        if (results.Count == 0)
            throw new InvalidOperationException($"No run of '{command.List}' is finished in '{command.Folder}', so there is nothing to report.");
        new ExperimentReport(experiment, results).Write(command.Folder, "curves", "table");
        if (command.Write)
            new ExperimentReport(experiment, results).Write(Path.GetDirectoryName(Path.GetFullPath(command.List))!, "compare", "compare");
        return failed == 0 ? 0 : 5;
    }

    private static CompareCommand Parse(string[] args)
    {
        var command = new CompareCommand();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var word))
        {
            string Value() => rest.TryDequeue(out var value) ? value : throw new FormatException($"{word} lacks its value.");
            command = word switch
            {
                "-o" => command with { Folder = Value() },
                "--side-by-side" => command with { SideBySide = int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var k) && k > 0 ? k : throw new FormatException($"{word} wants a number above 0.") },
                "--only" => command with { Only = Value() },
                "--report" => command with { ReportOnly = true },
                "--write" => command with { Write = true },
                _ when command.List.Length == 0 && !word.StartsWith('-') => command with { List = word },
                _ => throw new FormatException($"'{word}' is not known."),
            };
        }
        if (command.List.Length == 0)
            throw new FormatException("compare wants the file that lists the runs.");
        return command.Folder.Length > 0 ? command
            : command with { Folder = Path.Combine("runs", $"{Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(command.List)))}-compare") };
    }
}
