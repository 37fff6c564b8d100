using System.Globalization;
using System.Text.Json.Nodes;
using CsvHelper;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Placement;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Methods;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>Every node of every training artifact has a CUDA kernel of its version and types (design.md decision 8): each method, each network of
/// the catalogue, each branch of the optimizer, float32 and float16. No exception is needed so far; one would be named here with its reason.</summary>
[TestClass]
public sealed class CudaKernelTests
{
    /// <summary>A small member of each kind of network; and whether it takes images.</summary>
    private static readonly Dictionary<string, (string Options, bool Images)> Networks = new()
    {
        ["dhariwal-unet"] = ("""{ "kind": "dhariwal-unet", "channels": 8, "multipliers": [1, 2], "blocks": 1, "attentionResolutions": [8], "channelsPerHead": 8 }""", true),
        ["dit"] = ("""{ "kind": "dit", "width": 16, "depth": 1, "heads": 2, "rotary": true }""", true),
        ["mlp"] = ("""{ "kind": "mlp", "hidden": [8] }""", false),
        ["song-unet"] = ("""
            { "kind": "song-unet", "channels": 8, "multipliers": [1, 2], "blocks": 1, "attentionResolutions": [8], "embedding": "fourier",
              "noiseMultiplier": 2, "encoder": "residual", "resampleFilter": [1, 3, 3, 1] }
            """, true),
    };

    /// <summary>Optimizers that between them have every branch of the graph.</summary>
    private static readonly OptimizerOptions[] Optimizers =
    [
        new() { Beta1 = 0 },
        new() { WeightDecay = 0.1, ClipNorm = 1, ClipValue = 1 },
        new() { ClipNorm = 1 },
        new() { ClipValue = 1 },
        new() { NonFinite = NonFiniteGradients.Zero, ClipNorm = 1 },
    ];

    public static IEnumerable<object[]> Cases => NetworkCatalog.Names.SelectMany(kind => DistillationMethods.Names.SelectMany(method =>
        new[] { Precision.Float32, Precision.Float16 }.Select(precision => new object[] { method, kind, precision })));

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void EveryNodeOfTheTrainingGraphsHasACudaKernel(string method, string kind, Precision precision)
    {
        Assert.IsTrue(Networks.TryGetValue(kind, out var network), $"give the network '{kind}' a small example in this test");
        using var files = new TestFiles();
        Check(Program(files, method, network, precision), precision);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void EveryNodeOfTheOptimizersHasACudaKernel(bool scaled)
    {
        foreach (var options in Optimizers)
        {
            foreach (var ema in new[] { false, true })
            {
                foreach (var lanes in new[] { 1, 2 })
                {
                    Check("whole", OptimizerGraph.Build(64, options, ema, lanes, scaled));
                    Check("block", OptimizerGraph.BuildBlock(options, ema, lanes, lanes, scaled));
                    Check("first sum", OptimizerGraph.BuildBlockSum(lanes, first: true));
                    Check("later sum", OptimizerGraph.BuildBlockSum(lanes, first: false));
                    Check("norm", OptimizerGraph.BuildBlockNorm(options, lanes, lanes, scaled));
                }
            }
        }
    }

    [TestMethod]
    [TestCategory("Slow")]
    [DataRow("diff-instruct", Precision.Float32)]
    [DataRow("sid", Precision.Float32)]
    [DataRow("sid", Precision.Float16)]
    public void EveryNodeOfTheDitsArtifactsHasACudaKernel(string method, Precision precision)
    {
        using var files = new TestFiles();
        var program = Training.Dit.Program(files, method, "training.device=cuda:0", $"training.precision={(precision == Precision.Float16 ? "fp16" : "fp32")}");
        TrainingEngineTests.CheckOutputs(program);
        Check(program, precision);
    }

    /// <summary>The shipped table is the documentation's.</summary>
    [TestMethod]
    public void TheShippedTableIsTheOneOfTheSharedData()
    {
        using var csv = CsvReader.Create(File.ReadAllBytes(TestFiles.Shared("cuda-kernels.csv")), new CsvReaderOptions { Separator = ',' });
        var expected = new List<string>();
        while (csv.Read())
        {
            var cells = Enumerable.Range(0, 6).Select(csv.GetString).ToArray();
            if (cells[1] is "ai.onnx" or "com.microsoft")
                expected.Add($"{(cells[1] == "ai.onnx" ? "" : "com.microsoft::")}{cells[0]} {cells[3]}..{cells[4]} {Types(cells[5])}");
        }
        var shipped = CudaKernels.Rows.SelectMany(op => op.Select(r => string.Create(CultureInfo.InvariantCulture,
            $"{op.Key} {r.From}..{r.To} {string.Join(' ', r.Types.Select(t => t.ToString()).Order(StringComparer.Ordinal))}")));
        CollectionAssert.AreEquivalent(expected, shipped.ToList());
        StringAssert.StartsWith(CudaKernels.Source, "1.24.0");
    }

    private static TrainingProgram Program(TestFiles files, string method, (string Options, bool Images) network, Precision precision)
    {
        string[] settings = ["training.device=cuda:0", $"training.precision={(precision == Precision.Float16 ? "fp16" : "fp32")}"];
        if (!network.Images)
            return Toys.Program(files, method, settings);
        var teacher = SongUNet.Build(new SongUNetOptions { Channels = 8, Multipliers = [1, 1], Blocks = 1, AttentionResolutions = [] }, new TeacherCard { Labels = 3 }, 1, 16, 16);
        OnnxWriter.Write(teacher.Model, files["teacher.onnx"]);
        var toy = MethodCases.All.First(c => c.Name == method);
        var recipe = new JsonObject { ["method"] = method, ["options"] = toy.Options.DeepClone(), ["network"] = JsonNode.Parse(network.Options), ["training"] = new JsonObject { ["batch"] = 2 } };
        if (toy.Create().NeedsTeacher)
            recipe["teacher"] = "teacher.onnx";
        if (toy.Create().NeedsSamples)
        {
            const int count = 6;
            files.Write("images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 16, 0, 0, 0, 16, .. new byte[count * 256]]);
            files.Write("labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, count, 0, 1, 2, 0, 1, 2]);
            recipe["data"] = new JsonObject { ["images"] = "images-idx3-ubyte", ["labels"] = "labels-idx1-ubyte" };
        }
        return TrainingProgram.Build(RecipeLoader.Resolve(recipe, files.Folder, "images", settings));
    }

    private static void Check(TrainingProgram program, Precision precision)
    {
        foreach (var graph in program.Graphs)
        {
            Check(graph.Phase.Name, graph.Model);
            Assert.AreEqual("", string.Join('\n', GraphChecker.Findings(graph.Model)));
            // The whole point of fp16: the products run in it, and nothing else of it leaves the graph.
            foreach (var product in graph.Model.Graph.Nodes.Where(n => n.OpType is "MatMul" or "Gemm" or "Conv" && n.Name.Contains($"{Roles.Student}/", StringComparison.Ordinal)))
                Assert.AreEqual(precision == Precision.Float16 ? ElementType.Float16 : ElementType.Float32, product.Output.Type, product.ToString());
            Assert.IsTrue(graph.Model.Graph.Outputs.TrueForAll(o => o.Type == ElementType.Float32));
        }
        foreach (var network in program.Networks)
            Check(network.Role, network.OptimizerModel);
    }

    private static void Check(string name, OnnxModel model)
    {
        Assert.AreEqual(18, model.Opset);
        var report = PlacementReport.OfCuda(model);
        Assert.IsTrue(report.IsComplete, $"{name}: {report.Describe()}");
        Assert.IsGreaterThan(0, report.Nodes);
    }

    private static string Types(string constraints)
    {
        var names = new Dictionary<string, ElementType>
        {
            ["float"] = ElementType.Float32,
            ["float16"] = ElementType.Float16,
            ["bfloat16"] = ElementType.BFloat16,
            ["double"] = ElementType.Float64,
            ["bool"] = ElementType.Bool,
            ["int8"] = ElementType.Int8,
            ["int16"] = ElementType.Int16,
            ["int32"] = ElementType.Int32,
            ["int64"] = ElementType.Int64,
            ["uint8"] = ElementType.UInt8,
            ["uint16"] = ElementType.UInt16,
            ["uint32"] = ElementType.UInt32,
            ["uint64"] = ElementType.UInt64,
        };
        var found = constraints.Split(';').SelectMany(c => c[(c.IndexOf('=', StringComparison.Ordinal) + 1)..].Split(',', StringSplitOptions.TrimEntries));
        return string.Join(' ', found.Where(names.ContainsKey).Select(n => names[n].ToString()).Distinct().Order(StringComparer.Ordinal));
    }
}
