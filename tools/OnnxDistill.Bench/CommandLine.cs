using System.Globalization;

namespace OnnxDistill.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record CommandLine
{
    public bool Check { get; init; }

    public bool Self { get; init; }

    public bool Write { get; init; }

    public int Rounds { get; init; } = 10;

    public double Seconds { get; init; } = 4;

    public int Iterations { get; init; } = 50;

    public string Export { get; init; } = "";

    public List<IWorkload> Workloads { get; init; } = [.. WorkloadList.All];

    /// <summary>A recipe's file and settings, for the profile.</summary>
    public string[] Recipe { get; init; } = [];

    /// <exception cref="FormatException">A word is not known, or lacks its value.</exception>
    public static CommandLine Parse(string[] args)
    {
        var line = new CommandLine();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var word))
        {
            string Value() => rest.TryDequeue(out var value) ? value : throw new FormatException($"{word} lacks its value.");
            T Number<T>() where T : IParsable<T> => T.TryParse(Value(), CultureInfo.InvariantCulture, out var value) ? value : throw new FormatException($"{word} wants a number.");
            line = word switch
            {
                "--check" => line with { Check = true },
                "--self" => line with { Self = true },
                "--write" => line with { Write = true },
                "--rounds" => line with { Rounds = Number<int>() },
                "--seconds" => line with { Seconds = Number<double>() },
                "--iterations" => line with { Iterations = Number<int>() },
                "--export" => line with { Export = Value() },
                "--workload" => line with { Workloads = [Workload(Value())] },
                "--recipe" => line with { Recipe = [Value(), .. Assignments(rest)] },
                _ => throw new FormatException($"'{word}' is not known."),
            };
        }
        return line;
    }

    private static IWorkload Workload(string name) =>
        WorkloadList.All.FirstOrDefault(w => w.Name == name) ?? throw new FormatException($"There is no workload '{name}'.");

    private static IEnumerable<string> Assignments(Queue<string> rest)
    {
        while (rest.TryPeek(out var word) && !word.StartsWith("--", StringComparison.Ordinal))
            yield return rest.Dequeue();
    }
}
