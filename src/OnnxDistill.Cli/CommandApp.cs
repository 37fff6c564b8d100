using System.CommandLine;
using OnnxDistill.Cli.Verbs;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Cli;

/// <summary>The whole command over two writers, so that tests can run it inside their own process.</summary>
internal static class CommandApp
{
    private const string Name = "onnxdistill";

    /// <summary>Every verb, one line a verb, in the order in which people meet them.</summary>
    public static RootCommand Root() => new("Distil a diffusion teacher's ONNX graph into a one-step generator that any app runs.")
    {
        InspectVerb.Create(),
        ImportVerb.Create(),
        MixtureVerb.Create(),
        TrainVerb.Create(),
        DistillVerb.Create(),
        ArtifactsVerb.Create(),
        SampleVerb.Create(),
        EvaluateVerb.Create(),
        ExportVerb.Create(),
        ReportVerb.Create(),
        GradCheckVerb.Create(),
        VjpVerb.Create(),
        DoctorVerb.Create(),
    };

    /// <summary>Runs one command line and returns its exit code.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0)
            return RankEnvironment.Rank == 0 ? Refuse(parsed, args, output, error) : ExitCodes.WrongUsage;
        // Signals are StopSignals' business: the library's own handling ends the process two seconds after Ctrl+C, state saved or not.
        return parsed.Invoke(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    // The library's own answer prints the whole help to the standard output, where --json promises one object.
    private static int Refuse(ParseResult parsed, string[] args, TextWriter output, TextWriter error)
    {
        var command = parsed.CommandResult.Command;
        if (args.Length == 0)
        {
            command.Parse("--help").Invoke(new InvocationConfiguration { Output = output, Error = error });
            return ExitCodes.WrongUsage;
        }
        var message = string.Join('\n', Problems(parsed));
        error.WriteLine($"{Name}: {message}\nTry '{(command is RootCommand ? Name : $"{Name} {command.Name}")} --help'.");
        if (args.Contains("--json"))
        {
            var report = new Report(json: true, output);
            report.Fail(message, ExitCodes.WrongUsage);
        }
        return ExitCodes.WrongUsage;
    }

    private static IEnumerable<string> Problems(ParseResult parsed)
    {
        var (command, unmatched) = (parsed.CommandResult.Command, parsed.UnmatchedTokens);
        if (unmatched.Count == 0)
            return parsed.Errors.Select(e => e.Message).Distinct();
        // What follows an unknown verb or option is most likely its own: one mistake is told once.
        var options = unmatched.Where(token => token.StartsWith('-')).ToList();
        var guilty = command.Subcommands.Count > 0 ? unmatched.Take(1) : options.Count > 0 ? options : unmatched;
        return guilty.Select(token => Unknown(token, command));
    }

    private static string Unknown(string token, Command command) =>
        token.StartsWith('-') ? $"unknown option '{token}'; '{(command is RootCommand ? Name : command.Name)}' has {string.Join(", ", command.Options.Select(o => o.Name))}."
        : command.Subcommands.Count > 0 ? $"unknown verb '{token}'; the verbs are {string.Join(", ", command.Subcommands.Select(c => c.Name))}."
        : $"'{token}' is one argument too many; '{command.Name}' takes {string.Join(" ", command.Arguments.Select(a => a.HelpName ?? a.Name))}.";
}
