using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Graph;
using OnnxDistill.Runtime;
using OnnxDistill.Training;

namespace OnnxDistill.Cli;

/// <summary>What all verbs share: the --json and --verbose options, and how errors become one message and an exit code.</summary>
internal static class Verb
{
    /// <summary>A command whose action gets a report and returns the exit code.</summary>
    public static Command Create(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, Report, CancellationToken, int> action)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object for machines instead of text." };
        var verbose = new Option<bool>("--verbose") { Description = "Print stack traces of errors." };
        var command = new Command(name, description) { json, verbose };
        foreach (var symbol in symbols)
        {
            if (symbol is Option option)
                command.Options.Add(option);
            else
                command.Arguments.Add((Argument)symbol);
        }
        command.SetAction(parsed =>
        {
            var report = new Report(parsed.GetValue(json));
            using var stop = new StopSignals();
            return Guard(report, parsed.GetValue(verbose), () => action(parsed, report, stop.Token));
        });
        return command;
    }

    private static int Guard(Report report, bool verbose, Func<int> action)
    {
        try
        {
            var code = action();
            report.Print();
            return code;
        }
        catch (Exception error)
        {
            var code = CodeOf(error);
            var text = verbose || code == ExitCodes.Unexpected ? error.ToString() : error.Message;
            Console.Error.WriteLine($"onnxdistill: {text}");
            // Beside whatever the verb had found by then: a failed check is worth little without its numbers.
            report.Set("error", error.Message);
            report.Set("exitCode", code);
            report.Print();
            return code;
        }
    }

    private static int CodeOf(Exception error) => error switch
    {
        ModelFileException or RecipeException or FileNotFoundException or DirectoryNotFoundException => ExitCodes.BadInput,
        UnauthorizedAccessException or IOException => ExitCodes.BadInput,
        UnsupportedOpException or TeacherMismatchException or RuntimeUnavailableException or GraphRunException => ExitCodes.NotSupported,
        CheckFailedException => ExitCodes.CheckFailed,
        DivergedException => ExitCodes.Diverged,
        UsageException or RunFolderException => ExitCodes.WrongUsage,
        _ => ExitCodes.Unexpected,
    };
}

/// <summary>The command line asks for something that cannot be. Exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Collects what a verb has to say: lines of text as they come, or one JSON object at the end.</summary>
internal sealed class Report(bool json)
{
    private readonly JsonObject _object = [];

    public bool Json => json;

    /// <summary>A line for people; nothing under --json.</summary>
    public void Line(string text = "")
    {
        if (!json)
            Console.WriteLine(text);
    }

    /// <summary>A member of the JSON object; nothing for people.</summary>
    public void Set(string name, object? value) => _object[name] = JsonSerializer.SerializeToNode(value, Recipes.RecipeJson.Options);

    public void Print()
    {
        if (json)
            Console.WriteLine(_object.ToJsonString(Recipes.RecipeJson.Options));
    }
}
