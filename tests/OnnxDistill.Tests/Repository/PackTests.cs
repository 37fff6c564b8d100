using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Runtime.Generation;

namespace OnnxDistill.Tests.Repository;

/// <summary>The four packages, as somebody who has nothing but them meets them: what is in them, the tool, and an app.</summary>
[TestClass]
[TestCategory("Slow")]
[DoNotParallelize] // builds in processes of its own, which want the cores
public sealed class PackTests
{
    private const string Application = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <NuGetAudit>false</NuGetAudit>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="OnnxDistill.Runtime" Version="{0}" />
            <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="{1}" />
          </ItemGroup>
        </Project>
        """;

    private static TestFiles _files = null!; // by Pack

    private static string Packages => _files["packages"];

    [ClassInitialize]
    public static void Pack(TestContext context)
    {
        _files = new TestFiles();
        // Into folders of its own, because a build must not touch what these tests run from.
        Dotnet("pack", RepositoryRoot.Of("OnnxDistill.sln"), "-c", "Release", "-o", Packages, "--artifacts-path", _files["build"], "-nodeReuse:false", "-v", "q", "-p:RunAnalyzers=false");
        // No registry: what the packages need has been restored on this machine already, or the tests would not run.
        var machine = Dotnet("nuget", "locals", "global-packages", "--list").Split(':', 2)[1].Trim();
        _files.Write("nuget.config", $"""
            <configuration>
              <packageSources><clear /><add key="packed" value="{Packages}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="machine" value="{machine}" /></fallbackPackageFolders>
              <config><add key="globalPackagesFolder" value="{_files["restored"]}" /></config>
            </configuration>
            """);
        Directory.CreateDirectory(_files["home"]);
    }

    [ClassCleanup]
    public static void Delete() => _files.Dispose();

    [TestMethod]
    [DataRow("OnnxDistill.Graph", "lib/net10.0/", "Google.Protobuf", 1)]
    [DataRow("OnnxDistill.Runtime", "lib/net10.0/", "OnnxDistill.Graph Microsoft.ML.OnnxRuntime.Managed", 1)]
    [DataRow("OnnxDistill", "lib/net10.0/", "OnnxDistill.Runtime CsvHelper MathNet.Numerics SkiaSharp", 2)]
    [DataRow("OnnxDistill.Cli", "tools/net10.0/any/", "", 120)]
    public void APackageHasWhatItShouldHave(string id, string folder, string dependencies, int mostMegabytes)
    {
        var path = Path.Combine(Packages, $"{id}.{Version}.nupkg");
        Assert.IsLessThan(mostMegabytes * 1_000_000L, new FileInfo(path).Length);
        using var package = ZipFile.OpenRead(path);
        var names = package.Entries.Select(e => e.FullName).ToList();
        CollectionAssert.IsSubsetOf(new[] { $"{folder}{id}.dll", $"{folder}{id}.xml", "README.md" }, names);
        var readme = Text(package, "README.md");
        StringAssert.Contains(readme, $"# {id}\n");
        Assert.DoesNotContain("](", readme, "a link or picture beside it, which a package's page does not have");
        var description = XDocument.Parse(Text(package, $"{id}.nuspec"));
        string[] Found(string element, string attribute) => [.. description.Descendants().Where(e => e.Name.LocalName == element).Select(e => e.Attribute(attribute)?.Value ?? e.Value)];
        Assert.AreEqual("MIT", Found("license", "none").Single());
        if (dependencies.Length > 0)
            CollectionAssert.IsSubsetOf(dependencies.Split(' '), Found("dependency", "id"));
        Assert.IsFalse(Array.Exists(Found("dependency", "id"), d => d == "Microsoft.ML.OnnxRuntime"), "the app picks the native library");
        using var symbols = ZipFile.OpenRead(Path.Combine(Packages, $"{id}.{Version}.snupkg"));
        Assert.IsTrue(symbols.Entries.Any(e => e.FullName == $"{folder}{id}.pdb"));
    }

    /// <summary>With an empty environment but for where .NET is, and an empty home.</summary>
    [TestMethod]
    public void TheToolInstallsFromItsPackageAndRuns()
    {
        Dotnet("tool", "install", "OnnxDistill.Cli", "--version", Version, "--tool-path", _files["tool"], "--configfile", _files["nuget.config"]);
        string Run(params string[] arguments)
        {
            var start = new ProcessStartInfo(Path.Combine(_files["tool"], OperatingSystem.IsWindows() ? "onnxdistill.exe" : "onnxdistill"), arguments) { WorkingDirectory = _files.Folder };
            return Output(Clean(start)).Output;
        }
        StringAssert.Contains(Run("doctor"), "CPUExecutionProvider");
        Run("sample", GeneratorFiles.Digits, "-n", "4", "-o", "x.png");
        CollectionAssert.AreEqual(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G' }, File.ReadAllBytes(_files["x.png"])[..4]);
        Assert.IsEmpty(Directory.GetFileSystemEntries(_files["home"]));
    }

    [TestMethod]
    public void AnAppOfTheReadmesCodeDrawsAndSaysWhatIsMissingWithoutTheNativeLibrary()
    {
        var folder = Directory.CreateDirectory(_files["app"]).FullName;
        var runtime = XDocument.Load(RepositoryRoot.Of("Directory.Packages.props")).Descendants("PackageVersion").Single(p => p.Attribute("Include")!.Value == "Microsoft.ML.OnnxRuntime");
        File.WriteAllText(Path.Combine(folder, "app.csproj"), string.Format(null, Application, Version, runtime.Attribute("Version")!.Value));
        File.WriteAllText(Path.Combine(folder, "Program.cs"), $"using System.Text;\nusing OnnxDistill.Runtime.Generation;\n\n{ReadmeCodeTests.Snippet("app")}\n");
        File.Copy(GeneratorFiles.Digits, Path.Combine(folder, "generator.onnx"));
        Dotnet("build", folder, "-c", "Release", "-o", Path.Combine(folder, "out"), "-nodeReuse:false", "-v", "q", $"-p:RestoreConfigFile={_files["nuget.config"]}");
        var start = Clean(new ProcessStartInfo(DotnetPath, [Path.Combine(folder, "out", "app.dll")]) { WorkingDirectory = folder });
        Output(start);
        Assert.HasCount(16, Directory.GetFiles(folder, "*.pgm"));
        Assert.AreEqual(13 + 784, new FileInfo(Path.Combine(folder, "15.pgm")).Length);
        Assert.IsEmpty(Directory.GetFileSystemEntries(_files["home"]));

        foreach (var library in Directory.GetFiles(Path.Combine(folder, "out"), "*onnxruntime*", SearchOption.AllDirectories).Where(f => !f.EndsWith("Microsoft.ML.OnnxRuntime.dll", StringComparison.Ordinal)))
            File.Delete(library);
        var (exitCode, _, error) = Result(start);
        Assert.AreNotEqual(0, exitCode);
        StringAssert.Contains(error, "Reference the package Microsoft.ML.OnnxRuntime");
    }

    private static string Version { get; } = XDocument.Load(RepositoryRoot.Of("Directory.Build.props")).Descendants("Version").Single().Value;

    private static string DotnetRoot => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static string DotnetPath => Path.Combine(DotnetRoot, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");

    private static string Text(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry(name)!.Open()); // named above
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static ProcessStartInfo Clean(ProcessStartInfo start)
    {
        start.Environment.Clear();
        start.Environment["HOME"] = _files["home"];
        start.Environment["DOTNET_ROOT"] = DotnetRoot;
        return start;
    }

    private static string Dotnet(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Path.GetTempPath() };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        return Output(start).Output;
    }

    private static (int ExitCode, string Output, string Error) Output(ProcessStartInfo start)
    {
        var result = Result(start);
        Assert.AreEqual(0, result.ExitCode, result.Output + result.Error);
        return result;
    }

    private static (int ExitCode, string Output, string Error) Result(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!; // no shell, so there is a process
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
