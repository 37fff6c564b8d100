using System.Diagnostics;
using System.Text.Json.Nodes;
using OnnxDistill.Cli;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Cli;

/// <summary>What a command line gave.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal readonly record struct CommandResult(int Code, string Output, string Error)
{
    /// <summary>The output as the one JSON object that --json promises; anything before or after it fails.</summary>
    public JsonObject Json => JsonNode.Parse(Output)!.AsObject();

    /// <summary>This result, when it has that exit code.</summary>
    public CommandResult Expect(int code)
    {
        Assert.AreEqual(code, Code, Output + Error);
        return this;
    }
}

/// <summary>Runs the command: inside this process where only words and files matter, as a child where the process itself does.</summary>
internal static class CommandLine
{
    /// <summary>A run may take this long on a machine that does much else.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static CommandResult Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = CommandApp.Run(arguments, output, error);
        return new CommandResult(code, output.ToString(), error.ToString());
    }

    /// <summary>A child process that is not started yet, its streams redirected; a variable set to null is removed.</summary>
    public static ProcessStartInfo Child(string folder, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string?>>? environment = null)
    {
        // .../bin/<configuration>/<framework>/ in both projects.
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = RepositoryRoot.Of("src", "OnnxDistill.Cli", "bin", framework.Parent!.Name, framework.Name, "OnnxDistill.Cli.dll");
        Assert.IsTrue(File.Exists(program), $"'{program}' is not there: build the solution.");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        return start;
    }

    public static CommandResult RunChild(string folder, string[] arguments, IEnumerable<KeyValuePair<string, string?>>? environment = null)
    {
        using var process = Process.Start(Child(folder, arguments, environment))!;
        return End(process);
    }

    /// <summary>Waits for a child and takes what it still has to say.</summary>
    public static CommandResult End(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (process.WaitForExit(Patience))
            return new CommandResult(process.ExitCode, output.Result, error.Result);
        process.Kill(entireProcessTree: true);
        throw new AssertFailedException($"The child process did not end within {Patience}.");
    }
}
