using System.Diagnostics;

namespace OnnxDistill.Bench;

/// <summary>This program started once more.</summary>
internal static class ChildProcess
{
    /// <summary>Starts it; its output is the caller's to read, its errors go where this process's go.</summary>
    public static Process Start(bool takesInput, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = takesInput, RedirectStandardOutput = true };
        // 'dotnet Bench.dll' and the apphost alike.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!; // null only where a shell takes over
    }

    /// <summary>What it wrote.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static string Output(params string[] arguments)
    {
        using var process = Start(takesInput: false, arguments);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output
            : throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with the code {process.ExitCode}; its own message is above.");
    }
}
