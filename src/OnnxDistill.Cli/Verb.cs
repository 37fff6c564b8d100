using System.CommandLine;
using OnnxDistill.Graph;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Training;

namespace OnnxDistill.Cli;

/// <summary>What all verbs share: the --json and --verbose options, and how errors become one message and an exit code.</summary>
internal static class Verb
{
    /// <summary>A command whose action gets a report and returns the exit code.</summary>
    public static Command Create(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, Report, CancellationToken, int> action) =>
        Create(name, description, symbols, () => RankEnvironment.Count == 1 ? SingleRank.Group : throw new UsageException(
            $"mpirun started {RankEnvironment.Count} processes, but '{name}' works in one; leave mpirun out."), (parsed, report, _, stop) => action(parsed, report, stop));

    /// <summary>A command whose work the processes that mpirun started share; without it, this one does it alone.</summary>
    public static Command CreateShared(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, Report, IRankGroup, CancellationToken, int> action) =>
        Create(name, description, symbols, RankEnvironment.Join, action);

    private static Command Create(string name, string description, IEnumerable<Symbol> symbols, Func<IRankGroup> join,
        Func<ParseResult, Report, IRankGroup, CancellationToken, int> action)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object for machines instead of text." };
        var verbose = new Option<bool>("--verbose") { Description = "Print stack traces of errors." };
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Option option)
                command.Options.Add(option);
            else
                command.Arguments.Add(WithoutOptions((Argument)symbol));
        }
        command.Options.Add(json);
        command.Options.Add(verbose);
        command.SetAction(parsed =>
        {
            var configuration = parsed.InvocationConfiguration;
            // Rank 0 alone prints; the others only their errors.
            var report = new Report(parsed.GetValue(json), RankEnvironment.Rank == 0 ? configuration.Output : TextWriter.Null);
            using var stop = new StopSignals(configuration.Error);
            return Guard(report, configuration.Error, parsed.GetValue(verbose), join, ranks => action(parsed, report, ranks, stop.Token));
        });
        return command;
    }

    // The parser takes a misspelt option for the argument that is still missing.
    private static Argument WithoutOptions(Argument argument)
    {
        argument.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => t.Value.StartsWith('-')))
                result.AddError($"unknown option '{token.Value}', expected {argument.HelpName ?? argument.Name}.");
        });
        return argument;
    }

    private static int Guard(Report report, TextWriter errors, bool verbose, Func<IRankGroup> join, Func<IRankGroup, int> action)
    {
        IRankGroup? ranks = null;
        try
        {
            ranks = join();
            var code = action(ranks);
            report.Print();
            ranks.Leave();
            return code;
        }
        catch (Exception error)
        {
            var code = CodeOf(error);
            RankErrors.Write(errors, verbose || code == ExitCodes.Unexpected ? error.ToString() : error.Message, code);
            report.Fail(error.Message, code);
            ranks?.Abort(code);
            return code;
        }
    }

    private static int CodeOf(Exception error) => error switch
    {
        ModelFileException or RecipeException or FileNotFoundException or DirectoryNotFoundException => ExitCodes.BadInput,
        UnauthorizedAccessException or IOException => ExitCodes.BadInput,
        UnsupportedOpException or TeacherMismatchException or RuntimeUnavailableException or GraphRunException => ExitCodes.NotSupported,
        CheckFailedException or RanksDisagreeException => ExitCodes.CheckFailed,
        DivergedException => ExitCodes.Diverged,
        UsageException or RunFolderException => ExitCodes.WrongUsage,
        _ => ExitCodes.Unexpected,
    };
}

/// <summary>The command line asks for something that cannot be. Exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
