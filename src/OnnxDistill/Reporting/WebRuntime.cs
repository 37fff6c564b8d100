using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;
using OnnxDistill.Runtime;

namespace OnnxDistill.Reporting;

/// <summary>
/// ONNX Runtime for browsers: the files of the npm package onnxruntime-web that a page needs. They are 14 MB, so they come neither with this library nor with its sources: they
/// are taken from a folder that somebody names, or fetched once, by npm, in the version that this library's lock file pins.
/// </summary>
public sealed class WebRuntime
{
    /// <summary>Environment variable that names a folder with the files.</summary>
    public const string Variable = "ONNXDISTILL_WEB_RUNTIME";

    /// <summary>The script that a page loads.</summary>
    public const string Script = "ort.wasm.bundle.min.mjs";

    /// <summary>The runtime itself.</summary>
    public const string Binary = "ort-wasm-simd-threaded.wasm";

    private const string Package = "onnxruntime-web";

    private WebRuntime(string folder) => (Folder, Version) = (folder, VersionOf(folder));

    /// <summary>The folder that holds the files.</summary>
    public string Folder { get; }

    /// <summary>The package's version; empty where it does not tell.</summary>
    public string Version { get; }

    /// <summary>The version that this library's lock file pins.</summary>
    public static string PinnedVersion => JsonNode.Parse(WebFiles.Read("package.json"))!["dependencies"]![Package]!.GetValue<string>(); // our own file

    /// <summary>Finds the files: in the folder that is named, or the one that <see cref="Variable"/> names; else in the user's cache, where npm puts them at the first time.</summary>
    /// <param name="folder">The folder; null for none.</param>
    /// <param name="say">Told when npm is about to fetch them.</param>
    /// <exception cref="FileNotFoundException">The folder that was named does not hold them.</exception>
    /// <exception cref="RuntimeUnavailableException">They are not there and cannot be fetched.</exception>
    public static WebRuntime Find(string? folder = null, Action<string>? say = null)
    {
        var named = folder ?? Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(named))
        {
            string[] places = [named, Path.Combine(named, "dist"), Path.Combine(named, Package, "dist"), Path.Combine(named, "node_modules", Package, "dist")];
            return places.FirstOrDefault(IsComplete) is { } place ? new WebRuntime(Path.GetFullPath(place)) : throw new FileNotFoundException(
                $"{(folder is null ? Variable : "--web-runtime")}: '{named}' does not hold {Script} and {Binary}. Name the folder 'dist' of the npm package {Package} {PinnedVersion}.");
        }
        var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        if (home.Length == 0)
            throw Missing("there is no folder for this user's data to keep it in");
        var cache = Path.Combine(home, "OnnxDistill", $"{Package}-{PinnedVersion}");
        var dist = Path.Combine(cache, "node_modules", Package, "dist");
        if (!IsComplete(dist))
            Fetch(cache, say);
        return new WebRuntime(dist);
    }

    internal byte[] ReadScript() => File.ReadAllBytes(Path.Combine(Folder, Script));

    internal byte[] ReadBinary() => File.ReadAllBytes(Path.Combine(Folder, Binary));

    private static bool IsComplete(string folder) => File.Exists(Path.Combine(folder, Script)) && File.Exists(Path.Combine(folder, Binary));

    // Into a folder of another name first: one that was interrupted is not taken for whole.
    private static void Fetch(string cache, Action<string>? say)
    {
        say?.Invoke($"fetching {Package} {PinnedVersion} with npm into {cache}, once");
        var half = $"{cache}.{Environment.ProcessId}.tmp";
        try
        {
            Directory.CreateDirectory(half);
            foreach (var file in new[] { "package.json", "package-lock.json" })
                File.WriteAllText(Path.Combine(half, file), WebFiles.Read(file));
            RunNpm(half);
            if (!IsComplete(Path.Combine(half, "node_modules", Package, "dist")))
                throw Missing($"npm fetched a package without {Script} and {Binary}");
            if (Directory.Exists(cache))
                Directory.Delete(cache, recursive: true);
            Directory.Move(half, cache);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Missing($"it cannot be kept in '{cache}': {error.Message}");
        }
        finally
        {
            if (Directory.Exists(half))
                Directory.Delete(half, recursive: true);
        }
    }

    private static void RunNpm(string folder)
    {
        var start = new ProcessStartInfo(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var npm = Process.Start(start)!; // no shell, so there is a process
            var output = npm.StandardOutput.ReadToEndAsync();
            var errors = npm.StandardError.ReadToEnd();
            npm.WaitForExit();
            if (npm.ExitCode != 0)
                throw Missing($"npm could not fetch it ({(errors + output.Result).Trim()})");
        }
        catch (Win32Exception)
        {
            throw Missing("it is fetched with npm, which is not on the PATH");
        }
    }

    private static RuntimeUnavailableException Missing(string why) => new($"The page needs ONNX Runtime for browsers, npm package {Package} {PinnedVersion}, and {why}. "
        + $"Install Node.js with npm and try again, or unpack that package somewhere and name its folder 'dist' with --web-runtime or in {Variable}.");

    private static string VersionOf(string folder)
    {
        var package = Path.Combine(folder, "..", "package.json");
        try
        {
            return File.Exists(package) ? JsonNode.Parse(File.ReadAllText(package))?["version"]?.GetValue<string>() ?? "" : "";
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidOperationException or IOException)
        {
            return "";
        }
    }
}
