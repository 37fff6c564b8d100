using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Javascript;

/// <summary>Runs a script of tools/js in Node.js, a process of its own. A test is skipped, with the reason, where Node.js, the folder's packages or Chromium are missing.</summary>
internal static class NodeTool
{
    private const string Cure = "Run 'npm ci' in tools/js.";

    /// <summary>The folder of the scripts.</summary>
    public static string Folder => RepositoryRoot.Of("tools", "js");

    /// <summary>The Chromium that browser tests start: ONNXDISTILL_CHROMIUM, or Debian's.</summary>
    private static string Chromium => Environment.GetEnvironmentVariable("ONNXDISTILL_CHROMIUM") ?? "/usr/bin/chromium";

    /// <summary>Runs a script to its end and reads the JSON object that it prints last.</summary>
    /// <param name="script">Its path within tools/js.</param>
    /// <param name="arguments">Its arguments.</param>
    public static JsonObject Json(string script, params string[] arguments) => Json(script, [], arguments);

    /// <summary>The same with further variables in its environment.</summary>
    public static JsonObject Json(string script, Dictionary<string, string> environment, params string[] arguments) =>
        (JsonObject)JsonNode.Parse(Run(script, environment, arguments).TrimEnd().Split('\n')[^1])!; // an object, by the scripts' rule

    /// <summary>The same for a script that drives a browser.</summary>
    public static JsonObject Browse(string script, params string[] arguments)
    {
        if (!File.Exists(Chromium))
            Assert.Inconclusive($"There is no Chromium at '{Chromium}'. Install Debian's package chromium, or name another in ONNXDISTILL_CHROMIUM.");
        return Json(script, arguments);
    }

    /// <summary>Runs a script to its end.</summary>
    /// <returns>What it printed.</returns>
    public static string Run(string script, params string[] arguments) => Run(script, [], arguments);

    /// <summary>Runs a script that has to refuse what it is given.</summary>
    /// <param name="code">The exit code that it should have.</param>
    /// <param name="words">What its message should hold.</param>
    /// <param name="script">Its path within tools/js.</param>
    /// <param name="arguments">Its arguments.</param>
    public static void Fails(int code, string[] words, string script, params string[] arguments) => Fails(code, words, script, [], arguments);

    /// <summary>The same with further variables in its environment.</summary>
    public static void Fails(int code, string[] words, string script, Dictionary<string, string> environment, params string[] arguments)
    {
        RequirePackages();
        using var process = Start(script, environment, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.AreEqual(code, process.ExitCode, $"node {script} {string.Join(' ', arguments)}\n{output.Result}\n{errors}");
        foreach (var word in words)
            StringAssert.Contains(errors, word);
        Assert.DoesNotContain("file://", errors, "no stack trace");
    }

    private static string Run(string script, Dictionary<string, string> environment, string[] arguments)
    {
        RequirePackages();
        using var process = Start(script, environment, arguments);
        // Read side by side: a full pipe would stop the script.
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode, $"node {script} {string.Join(' ', arguments)}\n{output}\n{errors.Result}");
        return output;
    }

    private static void RequirePackages()
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules")))
            Assert.Inconclusive($"The packages of tools/js are not there. {Cure}");
    }

    private static Process Start(string script, Dictionary<string, string> environment, string[] arguments)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Folder, script), .. arguments]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ONNXDISTILL_CHROMIUM"] = Chromium;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        try
        {
            return Process.Start(start)!; // no shell, so there is a process
        }
        catch (Win32Exception)
        {
            Assert.Inconclusive("There is no 'node' on the PATH.");
            throw;
        }
    }
}
