using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace OnnxDistill.Tests.Repository;

/// <summary>Dependencies go one way: between projects, to libraries, and between the folders of a project (style.md section 2).</summary>
[TestClass]
public sealed class DependencyTests
{
    [TestMethod]
    [DataRow("OnnxDistill.Graph", "")]
    [DataRow("OnnxDistill.Runtime", "OnnxDistill.Graph")]
    [DataRow("OnnxDistill", "OnnxDistill.Runtime")]
    [DataRow("OnnxDistill.Cli", "OnnxDistill")]
    public void AProjectReferencesTheOneBelowOnly(string project, string expected)
    {
        var file = XDocument.Load(RepositoryRoot.Of("src", project, $"{project}.csproj"));
        var references = file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.AreEqual(expected, string.Join(", ", references));
    }

    [TestMethod]
    [DataRow("OnnxDistill.Graph", "Microsoft.ML.OnnxRuntime SkiaSharp CsvHelper MathNet.Numerics Spectre.Console System.CommandLine OnnxDistill.Runtime OnnxDistill OnnxDistill.Cli")]
    [DataRow("OnnxDistill.Runtime", "Google.Protobuf SkiaSharp CsvHelper MathNet.Numerics Spectre.Console System.CommandLine OnnxDistill OnnxDistill.Cli")]
    [DataRow("OnnxDistill", "Google.Protobuf Microsoft.ML.OnnxRuntime Spectre.Console System.CommandLine OnnxDistill.Cli")]
    [DataRow("OnnxDistill.Cli", "Google.Protobuf Microsoft.ML.OnnxRuntime SkiaSharp CsvHelper MathNet.Numerics System.Numerics.Tensors")]
    public void AnAssemblyUsesNothingAboveItAndNoLibraryOfAnotherLayer(string assembly, string forbidden)
    {
        // The compiler records the assemblies whose types are really used.
        var used = Assembly.Load(assembly).GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.IsNotEmpty(used);
        Assert.AreEqual("", string.Join(", ", forbidden.Split(' ').Where(used.Contains)));
    }

    [TestMethod]
    [DataRow("OnnxDistill.Graph", "Model", "Io Building Autodiff Passes")]
    [DataRow("OnnxDistill.Graph", "Io", "Building Autodiff Passes")]
    [DataRow("OnnxDistill.Graph", "Building", "Io Autodiff Passes")]
    [DataRow("OnnxDistill.Graph", "Autodiff", "Io Passes Importing")]
    [DataRow("OnnxDistill.Graph", "Passes", "Io Autodiff Importing")]
    [DataRow("OnnxDistill", "Networks", "Methods Training Artifacts Export")]
    [DataRow("OnnxDistill", "Teachers", "Methods Training Artifacts Export")]
    [DataRow("OnnxDistill", "Students", "Methods Training Artifacts Export")]
    [DataRow("OnnxDistill", "Methods", "Training Artifacts Export Evaluation")]
    [DataRow("OnnxDistill", "Training", "Artifacts Reporting")]
    [DataRow("OnnxDistill", "Metrics", "Training Methods Export")]
    [DataRow("OnnxDistill", "Export", "Training Reporting")]
    [DataRow("OnnxDistill", "Sampling", "Training Methods")]
    [DataRow("OnnxDistill", "Data", "Training Methods Teachers Networks Metrics Evaluation")]
    [DataRow("OnnxDistill", "Imaging", "Training Methods Teachers Networks Metrics Evaluation")]
    public void AFolderDoesNotSeeTheFoldersAboveIt(string project, string folder, string forbidden)
    {
        var files = Directory.GetFiles(RepositoryRoot.Of("src", project, folder), "*.cs", SearchOption.AllDirectories);
        Assert.IsNotEmpty(files);
        // A using, or a name written out from the project's root: Training.RunFolder, but not options.Training.Batch.
        var names = forbidden.Replace(' ', '|');
        var pattern = new Regex($@"using {Regex.Escape(project)}\.({names})\b|(?<![\w.])({Regex.Escape(project)}\.)?({names})\.[A-Z]");
        var found = files.SelectMany(f => File.ReadLines(f).Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal) && pattern.IsMatch(l))
            .Select(l => $"{Path.GetFileName(f)}: {l.Trim()}"));
        Assert.AreEqual("", string.Join('\n', found));
    }
}
