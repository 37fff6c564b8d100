using System.Globalization;
using CsvHelper;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>Every node of every training artifact has a CUDA kernel (design.md decision 8), by ONNX Runtime's rule: an open row N+ serves
/// an operator only when N is its since-version at opset 18, a closed row also when the since-version lies inside.
/// No exception is needed so far; one would be named here with its reason.</summary>
[TestClass]
public sealed class CudaKernelTests
{
    /// <summary>The version in which each operator of our graphs last changed up to opset 18 (ONNX's Changelog.md).</summary>
    private static readonly Dictionary<string, int> Since = Parse("""
        Abs 13 Add 14 And 7 Cast 13 Ceil 13 Clip 13 Concat 13 ConstantOfShape 9 Conv 11 ConvTranspose 11 Cos 7 Div 14 Einsum 12 Equal 13 Erf 13
        Exp 13 Expand 13 Flatten 13 Floor 13 Gather 13 GatherND 13 Gemm 13 Greater 13 GreaterOrEqual 16 Identity 16 InstanceNormalization 6
        LayerNormalization 17 Less 13 LessOrEqual 16 Log 13 LogSoftmax 13 MatMul 13 Max 13 Min 13 Mul 14 Neg 13 Not 1 Pad 18 Pow 15
        Reciprocal 13 ReduceL2 18 ReduceLogSumExp 18 ReduceMax 18 ReduceMean 18 ReduceMin 18 ReduceSum 13 ReduceSumSquare 18 Relu 14 Reshape 14
        ScatterND 18 Shape 15 Sigmoid 13 Sign 13 Sin 7 Slice 13 Softmax 13 Softplus 1 Split 18 Sqrt 13 Squeeze 13 Sub 14 Sum 13 Tanh 13 Tile 13
        Transpose 13 Unsqueeze 13 Where 16
        """);

    public static IEnumerable<object[]> Methods => DistillationMethods.Names.Select(n => new object[] { n });

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void EveryNodeOfTheMlpsArtifactsHasACudaKernel(string method)
    {
        var kernels = Kernels();
        using var files = new TestFiles();
        // All of the optimizer's branches.
        Check(Toys.Program(files, method, "training.optimizer={\"beta1\":0.9,\"weightDecay\":0.1,\"clipNorm\":1,\"clipValue\":1}"), kernels);
    }

    [TestMethod]
    [TestCategory("Slow")]
    [DataRow("diff-instruct")]
    [DataRow("sid")]
    public void EveryNodeOfTheDitsArtifactsHasACudaKernel(string method)
    {
        var kernels = Kernels();
        using var files = new TestFiles();
        var program = Dit.Program(files, method);
        TrainingEngineTests.CheckOutputs(program);
        Check(program, kernels);
    }

    /// <summary>The table's own trap: ConvTranspose has a row 11+ and none for 22, so at opset 18 it is served and at 22 it would not be.</summary>
    [TestMethod]
    public void AnOpenRowServesItsOwnVersionOnly()
    {
        var kernels = Kernels();
        Assert.IsTrue(Serves(kernels, "ConvTranspose", 11));
        Assert.IsFalse(Serves(kernels, "ConvTranspose", 22));
        Assert.IsTrue(Serves(kernels, "AveragePool", 11), "the closed row 11 to 18");
        Assert.IsFalse(Serves(kernels, "Mish", 18));
    }

    private static void Check(TrainingProgram program, ILookup<string, (int From, int? To)> kernels)
    {
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var model in program.Graphs.Select(g => g.Model).Concat(program.Networks.Select(n => n.OptimizerModel)))
        {
            Assert.AreEqual(18, model.Opset);
            foreach (var node in model.Graph.Nodes.Where(n => n.Domain != StopGradientMarker.Domain))
            {
                Assert.IsTrue(Since.TryGetValue(node.QualifiedOp, out var since), $"{node} of {model.Graph.Name}: add the operator's since-version to this test");
                if (!Serves(kernels, node.OpType, since))
                    missing.Add($"{node.OpType} (since {since})");
            }
        }
        Assert.IsEmpty(missing, string.Join(", ", missing));
    }

    private static bool Serves(ILookup<string, (int From, int? To)> kernels, string op, int since) =>
        kernels[op].Any(k => k.From == since || (k.To is { } to && k.From <= since && since <= to));

    private static ILookup<string, (int From, int? To)> Kernels()
    {
        using var csv = CsvReader.Create(File.ReadAllBytes(TestFiles.Shared("cuda-kernels.csv")), new CsvReaderOptions { Separator = ',' });
        var rows = new List<(string Op, int From, int? To)>();
        while (csv.Read())
        {
            var cells = Enumerable.Range(0, 5).Select(csv.GetString).ToArray();
            if (cells[1] == "ai.onnx")
                rows.Add((cells[0], Number(cells[3])!.Value, Number(cells[4]))); // every row has a first version
        }
        return rows.ToLookup(r => r.Op, r => (r.From, r.To));
    }

    private static int? Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static Dictionary<string, int> Parse(string pairs) => pairs.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Chunk(2)
        .ToDictionary(p => p[0], p => int.Parse(p[1], CultureInfo.InvariantCulture));
}
