using OnnxDistill.Cli;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Cli;

/// <summary>The verb vjp, files in and files out: y = (x w) ², s = sum(x) - 3 sum(x) + a part that does not depend on x.</summary>
[TestClass]
public sealed class VjpTests
{
    private static readonly double[] X = [1, 2, 3, -1, 0.5, 4], W = [0.5, -2, 3];

    [TestMethod]
    [DataRow(ElementType.Float32)]
    [DataRow(ElementType.Float64)]
    public void GradientsAreThoseOfTheFormula(ElementType type)
    {
        using var files = Files(type);
        NpzFile.Write(files["c.npz"], new Dictionary<string, TensorData> { ["out/y:0"] = Numbers(type, [1, 10], 2, 1), ["s"] = Numbers(type, [7]) });
        Assert.AreEqual(ExitCodes.Done, Run(files, "--outputs", files["y.npz"]));

        // y_n = (x_n · w)²: dx_n = c_n 2 (x_n · w) w - 2 * 7, dw = sum over n of c_n 2 (x_n · w) x_n; the exact numbers are small integers and halves.
        double[] dot = [5.5, 10.5];
        double[] c = [1, 10];
        var dx = X.Select((_, i) => (c[i / 3] * 2 * dot[i / 3] * W[i % 3]) - 14).ToArray();
        var dw = W.Select((_, k) => (c[0] * 2 * dot[0] * X[k]) + (c[1] * 2 * dot[1] * X[3 + k])).ToArray();
        var gradients = NpzFile.Read(files["g.npz"]);
        CollectionAssert.AreEqual(new[] { "in:0/x", "unused", "layer/w:0" }, gradients.Keys.ToArray());
        CollectionAssert.AreEqual(dx, gradients["in:0/x"].ToDoubles());
        CollectionAssert.AreEqual(dw, gradients["layer/w:0"].ToDoubles());
        CollectionAssert.AreEqual(new double[2], gradients["unused"].ToDoubles(), "nothing depends on it");
        Assert.IsTrue(gradients.Values.All(g => g.Type == type));

        var outputs = NpzFile.Read(files["y.npz"]);
        CollectionAssert.AreEqual(new[] { 30.25, 110.25 }, outputs["out/y:0"].ToDoubles());
        CollectionAssert.AreEqual(new[] { -19.0 }, outputs["s"].ToDoubles());
    }

    [TestMethod]
    public void ACotangentLeftOutIsZero()
    {
        using var files = Files(ElementType.Float32);
        NpzFile.Write(files["c.npz"], new Dictionary<string, TensorData> { ["s"] = Numbers(ElementType.Float32, [1]) });
        Assert.AreEqual(ExitCodes.Done, Run(files));
        var gradients = NpzFile.Read(files["g.npz"]);
        CollectionAssert.AreEqual(Enumerable.Repeat(-2.0, 6).ToArray(), gradients["in:0/x"].ToDoubles());
        CollectionAssert.AreEqual(new double[3], gradients["layer/w:0"].ToDoubles());
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("z:[1]")]
    [DataRow("s:[2]")]
    [DataRow("out/y:0:[1, 2]")]
    public void CotangentsThatDoNotFitAreBadInput(string cotangents)
    {
        using var files = Files(ElementType.Float32);
        var arrays = cotangents.Length == 0 ? [] : new Dictionary<string, TensorData>
        {
            [cotangents[..cotangents.LastIndexOf(':')]] = cotangents.EndsWith("[1, 2]", StringComparison.Ordinal)
                ? Numbers(ElementType.Float32, [1, 2], 1, 2) : Numbers(ElementType.Float32, cotangents.EndsWith("[2]", StringComparison.Ordinal) ? [1, 2] : [1], cotangents.EndsWith("[2]", StringComparison.Ordinal) ? 2 : 1),
        };
        NpzFile.Write(files["c.npz"], arrays);
        Assert.AreEqual(ExitCodes.BadInput, Run(files));
        Assert.IsFalse(File.Exists(files["g.npz"]));
    }

    [TestMethod]
    public void EveryFaultOfTheFeedsIsNamedAtOnce()
    {
        var model = Model(ElementType.Float32);
        var feeds = new Dictionary<string, TensorData> { ["in:0/x"] = Numbers(ElementType.Float64, X, 2, 3), ["other"] = Numbers(ElementType.Float32, [1]) };
        var message = Assert.ThrowsExactly<ArgumentException>(() => Verification.VectorJacobianProduct.Run(model, feeds, new Dictionary<string, TensorData>())).Message;
        StringAssert.Contains(message, "'in:0/x' has elements of Float64, expected Float32");
        StringAssert.Contains(message, "the input unused: Float32[2] is missing");
        StringAssert.Contains(message, "there is no input 'other'");
    }

    [TestMethod]
    public void FeedsOfAnotherBatchThanAskedForAreBadInput()
    {
        using var files = Files(ElementType.Float32);
        NpzFile.Write(files["c.npz"], new Dictionary<string, TensorData> { ["s"] = Numbers(ElementType.Float32, [1]) });
        Assert.AreEqual(ExitCodes.Done, Run(files, "--batch", "2"));
        Assert.AreEqual(ExitCodes.BadInput, Run(files, "--batch", "3"));
    }

    [TestMethod]
    public void HalfPrecisionIsRefused()
    {
        using var files = Files(ElementType.Float32);
        OnnxWriter.Write(Model(ElementType.Float16), files["model.onnx"]);
        NpzFile.Write(files["f.npz"], new Dictionary<string, TensorData>
        {
            ["in:0/x"] = new(ElementType.Float16, [2, 3], new byte[12]),
            ["unused"] = new(ElementType.Float16, [2], new byte[4]),
        });
        NpzFile.Write(files["c.npz"], new Dictionary<string, TensorData> { ["s"] = new(ElementType.Float16, [], new byte[2]) });
        Assert.AreEqual(ExitCodes.NotSupported, Run(files));
    }

    private static int Run(TestFiles files, params string[] more) => CommandLine.Run(
        ["vjp", files["model.onnx"], "--feeds", files["f.npz"], "--cotangents", files["c.npz"], "-o", files["g.npz"], "--json", .. more]).Code;

    private static TestFiles Files(ElementType type)
    {
        var files = new TestFiles();
        OnnxWriter.Write(Model(type), files["model.onnx"]);
        NpzFile.Write(files["f.npz"], new Dictionary<string, TensorData> { ["in:0/x"] = Numbers(type, X, 2, 3), ["unused"] = Numbers(type, [1, 2], 2) });
        return files;
    }

    private static OnnxModel Model(ElementType type)
    {
        var b = new GraphBuilder();
        var x = b.Input("in:0/x", type, new Shape([Dim.Named("N"), 3]));
        b.Input("unused", type, Shape.Of(2));
        var data = type == ElementType.Float16 ? new TensorData(type, [3, 1], new byte[6]) : Numbers(type, W, 3, 1);
        var w = b.Initializer("layer/w:0", data);
        var product = b.MatMul(x, w);
        b.Output("out/y:0", b.Mul(product, product));
        var sum = b.Emit("ReduceSum", [x], type, Shape.Scalar, ("keepdims", 0));
        b.Output("s", b.Sub(sum, b.Mul(sum, 3)));
        return new OnnxModel(b.Graph);
    }

    private static TensorData Numbers(ElementType type, double[] numbers, params long[] dims) => type == ElementType.Float64
        ? TensorData.Of(numbers, dims) : TensorData.Of(Array.ConvertAll(numbers, static n => (float)n), dims);
}
