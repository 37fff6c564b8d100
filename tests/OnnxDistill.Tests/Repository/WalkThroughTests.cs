using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Tests.Cli;

namespace OnnxDistill.Tests.Repository;

/// <summary>The README's way from a PyTorch teacher to an app is walked, line by line and in its order, with a tiny network in the place of the exported one and a short run.</summary>
[TestClass]
[DoNotParallelize] // the lines name files in the current folder, which is the process's
public sealed partial class WalkThroughTests
{
    private const int Classes = 3, Channels = 3, Side = 8;

    // What a test adds: the network has random weights, two steps will do, and the page's runtime is another test's matter.
    private static readonly Dictionary<string, string[]> Additions = new()
    {
        ["import"] = ["--no-denoise-check"],
        ["distill"] = ["--set", "training.batch=4", "--set", "training.images=8", "--set", "training.snapshotImages=4", "--set", "evaluation.samples=0"],
        ["report"] = ["--no-demo"],
    };

    [TestMethod]
    public void EveryStepWorksWithTheFilesOfTheOnesBefore()
    {
        var section = Section().Match(File.ReadAllText(RepositoryRoot.Of("README.md")).ReplaceLineEndings("\n")).Value;
        var lines = Command().Matches(section).Select(static m => m.Value).ToList();
        CollectionAssert.IsSubsetOf(new[] { "import", "distill", "report", "export", "sample" }, lines.ConvertAll(static l => l.Split(' ')[1]));
        var (before, folder) = (Environment.CurrentDirectory, Directory.CreateTempSubdirectory("onnxdistill-walk-"));
        try
        {
            Environment.CurrentDirectory = folder.FullName;
            ExportedNetwork();
            File.WriteAllText("student.json", Recipe().Match(section).Groups["json"].Value);
            foreach (var line in lines)
                Walk(line);
            Assert.IsTrue(File.Exists("runs/student/report.html") && new FileInfo("samples.png").Length > 0);
            var metadata = OnnxReader.Read("generator.onnx").Metadata;
            Assert.AreEqual("""["cat","dog","wild"]""", metadata[GeneratorMetadata.LabelNames]);
            Assert.AreEqual("fp16", metadata[GeneratorMetadata.Precision]);
        }
        finally
        {
            Environment.CurrentDirectory = before;
            folder.Delete(recursive: true);
        }
    }

    private static void Walk(string line)
    {
        var words = CommandLineParser.SplitCommandLine(line).Skip(1).ToList();
        // The page takes ONNX Runtime from npm; WebDemoTests has it.
        if (words.IndexOf("--web") is >= 0 and var web)
            words.RemoveRange(web, 2);
        var result = CommandLine.Run([.. words, .. Additions.GetValueOrDefault(words[0], [])]);
        Assert.AreEqual(0, result.Code, $"{line}\n{result.Output}\n{result.Error}");
    }

    // EDM's F(x, c_noise, class as a one-hot row), and what it answers, as the script writes them.
    private static void ExportedNetwork()
    {
        var b = new GraphBuilder("network");
        var noise = new NoiseStream(1, StreamId.Named("walk"));
        var step = 0;
        TensorData Random(params long[] dims)
        {
            var numbers = new float[dims.Aggregate(1L, static (n, d) => n * d)];
            noise.FillNormal(numbers, step++);
            return TensorData.Of(Array.ConvertAll(numbers, static n => n / 8), dims);
        }
        const int width = 8;
        var x = b.Input("x", ElementType.Float32, new Shape([Dim.Named("N"), Channels, Side, Side]));
        var t = b.Input("t", ElementType.Float32, Shape.Of(Dim.Named("N")));
        var label = b.Input("label", ElementType.Float32, new Shape([Dim.Named("N"), Classes]));
        var place = b.Add(b.MatMul(label, b.Initializer("classes", Random(Classes, width))), b.Mul(b.Unsqueeze(t, 1), b.Initializer("time", Random(1, width))));
        var hidden = b.Conv(x, b.Initializer("in.weight", Random(width, Channels, 3, 3)), null, new ConvOptions { Pads = [1, 1, 1, 1] });
        hidden = b.Silu(b.Add(hidden, b.Unsqueeze(place, 2, 3)));
        b.Output("output", b.Conv(hidden, b.Initializer("out.weight", Random(Channels, width, 3, 3)), null, new ConvOptions { Pads = [1, 1, 1, 1] }));
        OnnxWriter.Write(new OnnxModel(b.Graph), "network.onnx");

        using var session = GraphSession.Load("network.onnx");
        var feeds = new Dictionary<string, TensorData> { ["x"] = Random(2, Channels, Side, Side), ["t"] = Random(2), ["label"] = TensorData.Of([1f, 0, 0, 0, 0, 1], 2, Classes) };
        NpzFile.Write("network.npz", feeds.Concat(session.Run(feeds)).ToDictionary());
    }

    [GeneratedRegex("<!-- walk-through:begin -->.*<!-- walk-through:end -->", RegexOptions.Singleline)]
    private static partial Regex Section();

    [GeneratedRegex("^onnxdistill .*$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("```json\n(?<json>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Recipe();
}
