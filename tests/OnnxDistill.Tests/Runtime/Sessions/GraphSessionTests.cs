using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Tests.Runtime.Sessions;

[TestClass]
public sealed class GraphSessionTests
{
    private static readonly TensorData Weight = TensorData.Of([1f, 2, 3, 4, 5, 6], 3, 2);

    [TestMethod]
    public void PortsShowTypesAndSymbols()
    {
        using var session = GraphSession.Create(SmallGraphs.Affine());
        Assert.AreEqual("x: Float32[N, 3], w: Float32[3, 2], b: Float32[2]", string.Join(", ", session.Inputs));
        Assert.AreEqual("y: Float32[N, 2]", string.Join(", ", session.Outputs));
    }

    [TestMethod]
    public void RunGivesTheGraphsNumbers()
    {
        using var session = GraphSession.Create(SmallGraphs.Affine());
        var y = session.Run(Feeds(TensorData.Of([1f, 0, -1, 2, 2, 2], 2, 3)))["y"];
        CollectionAssert.AreEqual(new long[] { 2, 2 }, y.Dims);
        // Small integers: exact.
        CollectionAssert.AreEqual(new[] { 6f, 16, 28, 44 }, y.As<float>().ToArray());
    }

    [TestMethod]
    [DataRow(ElementType.Bool, new byte[] { 1, 0, 1 })]
    [DataRow(ElementType.Int64, new byte[] { 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255 })]
    [DataRow(ElementType.Int32, new byte[] { 1, 0, 0, 128 })]
    [DataRow(ElementType.UInt8, new byte[] { 1, 200 })]
    [DataRow(ElementType.Float32, new byte[] { 0, 0, 128, 63 })]
    [DataRow(ElementType.Float64, new byte[] { 0, 0, 0, 0, 0, 0, 240, 63 })]
    [DataRow(ElementType.Float16, new byte[] { 0, 60, 1, 0 })]
    [DataRow(ElementType.BFloat16, new byte[] { 128, 63 })]
    public void EveryElementTypePassesThroughBitForBit(ElementType type, byte[] bytes)
    {
        var (x, y) = (new Value("x", type, Shape.Of(Dim.Named("n"))), new Value("y", type, Shape.Of(Dim.Named("n"))));
        using var session = GraphSession.Create(SmallGraphs.Model([x], [new Node("Identity", [x], [y])], [y]));
        var result = session.Run(new Dictionary<string, TensorData> { ["x"] = new(type, [bytes.Length / type.Size()], bytes) })["y"];
        Assert.AreEqual(type, result.Type);
        CollectionAssert.AreEqual(bytes, result.Bytes.ToArray());
    }

    [TestMethod]
    public void AllMismatchesAreReportedAtOnce()
    {
        using var session = GraphSession.Create(SmallGraphs.Affine());
        var message = Assert.ThrowsExactly<ArgumentException>(() => session.Run(new Dictionary<string, TensorData>
        {
            ["x"] = TensorData.Of([1.0, 2, 3], 1, 3),
            ["w"] = TensorData.Of([1f, 2, 3, 4], 2, 2),
            ["extra"] = Weight,
        }, ["z"])).Message;
        StringAssert.Contains(message, "input 'x' has elements of Float64, expected Float32");
        StringAssert.Contains(message, "input 'w' has the shape [2, 2], expected [3, 2]");
        StringAssert.Contains(message, "input 'b' is missing, expected Float32[2]");
        StringAssert.Contains(message, "there is no input 'extra'; there are x, w, b");
        StringAssert.Contains(message, "there is no output 'z'; there are y");
    }

    [TestMethod]
    public void ASymbolHasOneSize()
    {
        var (a, b, c) = (SmallGraphs.Float("a", Dim.Named("N")), SmallGraphs.Float("b", Dim.Named("N")), SmallGraphs.Float("c", Dim.Named("N")));
        using var session = GraphSession.Create(SmallGraphs.Model([a, b], [new Node("Add", [a, b], [c])], [c]));
        var message = Assert.ThrowsExactly<ArgumentException>(() => session.Run(new Dictionary<string, TensorData>
        {
            ["a"] = TensorData.Of([1f, 2], 2),
            ["b"] = TensorData.Of([1f, 2, 3], 3),
        })).Message;
        StringAssert.Contains(message, "input 'b' has the shape [3], expected [N] with N = 2 as in 'a'");
    }

    [TestMethod]
    public void AFailingRunNamesGraphAndCause()
    {
        var (x, index, y) = (SmallGraphs.Float("x", 3), new Value("index", ElementType.Int64, Shape.Of(1)), SmallGraphs.Float("y", 1));
        using var session = GraphSession.Create(SmallGraphs.Model([x, index], [new Node("Gather", [x, index], [y])], [y]), what: "the test's graph");
        var message = Assert.ThrowsExactly<GraphRunException>(() => session.Run(new Dictionary<string, TensorData>
        {
            ["x"] = TensorData.Of([1f, 2, 3], 3),
            ["index"] = TensorData.Of([7L], 1),
        })).Message;
        StringAssert.StartsWith(message, "ONNX Runtime failed while it ran the test's graph: ");
        StringAssert.Contains(message, "7");
    }

    [TestMethod]
    public void ModelsThatCannotRunAreRefusedByKind()
    {
        var x = SmallGraphs.Float("x", 3);
        var y = SmallGraphs.Float("y", 3);
        StringAssert.Contains(Assert.ThrowsExactly<UnsupportedOpException>(
            () => GraphSession.Create(SmallGraphs.Model([x], [new Node("NoSuchOp", [x], [y])], [y]))).Message, "NoSuchOp");
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => GraphSession.Create([1, 2, 3], what: "these bytes")).Message,
            "does not accept these bytes");
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => GraphSession.Load("no/such.onnx")).Message, "'no/such.onnx' does not exist");
    }

    [TestMethod]
    public void AFileWithExternalDataLoads()
    {
        var folder = Directory.CreateTempSubdirectory("onnxdistill-").FullName;
        try
        {
            var path = Path.Combine(folder, "model.onnx");
            OnnxWriter.Write(SmallGraphs.Step(4), path, new ExternalDataOptions { MinimumBytes = 0 });
            using var session = GraphSession.Load(path);
            var next = session.Run(new Dictionary<string, TensorData>
            {
                ["state"] = TensorData.Of([2f, 4, 6, 8], 4),
                ["force"] = TensorData.Of([1f, 1, 1, 1], 4),
            }, ["next"]);
            CollectionAssert.AreEqual(new[] { 2f, 3, 4, 5 }, next["next"].As<float>().ToArray());
            Assert.HasCount(1, next);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void AProfileIsWrittenOnlyWhenAskedFor()
    {
        var folder = Directory.CreateTempSubdirectory("onnxdistill-").FullName;
        try
        {
            using var session = GraphSession.Create(SmallGraphs.Affine(), new DeviceOptions { ProfilePrefix = Path.Combine(folder, "profile") });
            session.Run(Feeds(TensorData.Of([1f, 0, -1], 1, 3)));
            StringAssert.Contains(File.ReadAllText(session.EndProfiling()), "model_run");
            using var plain = GraphSession.Create(SmallGraphs.Affine());
            Assert.ThrowsExactly<InvalidOperationException>(() => plain.EndProfiling());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void ADisposedSessionDoesNotRun()
    {
        var session = GraphSession.Create(SmallGraphs.Affine());
        session.Dispose();
        session.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run(Feeds(TensorData.Of([1f, 0, -1], 1, 3))));
    }

    private static Dictionary<string, TensorData> Feeds(TensorData x) => new() { ["x"] = x, ["w"] = Weight, ["b"] = TensorData.Of([10f, 20], 2) };
}
