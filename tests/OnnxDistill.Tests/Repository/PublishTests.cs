using System.Diagnostics;
using System.Runtime.InteropServices;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Repository;

/// <summary>What the README promises of builds for other machines: another ONNX Runtime by a property, and a folder that needs no .NET.</summary>
[TestClass]
[TestCategory("Slow")]
public sealed class PublishTests
{
    /// <summary>The CUDA package cannot be restored everywhere; that the property swaps it, and every project agrees, can be told without.</summary>
    [TestMethod]
    [DataRow("src/OnnxDistill.Cli/OnnxDistill.Cli.csproj")]
    [DataRow("tests/OnnxDistill.Tests/OnnxDistill.Tests.csproj")]
    [DataRow("tools/OnnxDistill.Server/OnnxDistill.Server.csproj")]
    public void APropertySwapsTheNativeOnnxRuntime(string project)
    {
        var plain = Dotnet("msbuild", RepositoryRoot.Of(project), "-getItem:PackageReference", "-nodeReuse:false");
        StringAssert.Contains(plain, "\"Identity\": \"Microsoft.ML.OnnxRuntime\"");
        Assert.DoesNotContain("Microsoft.ML.OnnxRuntime.Gpu", plain);
        var cuda = Dotnet("msbuild", RepositoryRoot.Of(project), "-getItem:PackageReference", "-p:OnnxRuntimePackage=Microsoft.ML.OnnxRuntime.Gpu", "-nodeReuse:false");
        StringAssert.Contains(cuda, "\"Identity\": \"Microsoft.ML.OnnxRuntime.Gpu\"");
        Assert.DoesNotContain("\"Identity\": \"Microsoft.ML.OnnxRuntime\"", cuda);
    }

    /// <summary>With an empty environment, an empty home and no dotnet on the path: distil, draw, look.</summary>
    [TestMethod]
    public void APublishedFolderRunsWithoutDotNet()
    {
        using var files = new TestFiles();
        // Into folders of its own, because a build of another configuration must not touch what these tests run from.
        Dotnet("publish", RepositoryRoot.Of("src", "OnnxDistill.Cli"), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained",
            "-o", files["tool"], "--artifacts-path", files["build"], "-nodeReuse:false", "-v", "q");
        var ring = Directory.CreateDirectory(files["ring8"]).FullName;
        foreach (var file in Directory.GetFiles(RepositoryRoot.Of("models", "ring8")))
            File.Copy(file, Path.Combine(ring, Path.GetFileName(file)));
        var home = Directory.CreateDirectory(files["home"]).FullName;

        Run(files, "distill", "ring8/diff-instruct.json", "-o", "run", "--set", "training.images=2048", "--set", "training.snapshotImages=0");
        var generator = Directory.GetFiles(files["run"], "generator-*.onnx").Order(StringComparer.Ordinal).Last();
        Assert.IsNotEmpty(Directory.GetFiles(files["run"], "samples-*.png"));
        Run(files, "sample", generator, "-n", "64", "--seed", "1", "-o", "samples.png");
        CollectionAssert.AreEqual(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G' }, File.ReadAllBytes(files["samples.png"])[..4]);
        StringAssert.Contains(Run(files, "doctor"), "CPUExecutionProvider");
        if (!OperatingSystem.IsWindows())
            Assert.IsEmpty(Directory.GetFiles(files["tool"], "onnxruntime*.dll"), "a library for Windows");
        Assert.IsEmpty(Directory.GetFileSystemEntries(home));
    }

    private static string Run(TestFiles files, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(files["tool"], OperatingSystem.IsWindows() ? "OnnxDistill.Cli.exe" : "OnnxDistill.Cli"), arguments) { WorkingDirectory = files.Folder };
        start.Environment.Clear();
        start.Environment["HOME"] = files["home"];
        return Output(start);
    }

    private static string Dotnet(params string[] arguments) => Output(new ProcessStartInfo("dotnet", arguments));

    private static string Output(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode, output + error.Result);
        return output;
    }
}
