using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Normalization;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Io;

namespace OnnxDistill.Tests.Runtime.Normalization;

/// <summary>Normalisation of models that other tools exported.</summary>
[TestClass]
public sealed class RealModelTests
{
    private static readonly string[] Folded = ["Shape", "Constant", "ConstantOfShape", "Identity", "Cast", "If", "Size", "Range"];

    [TestMethod]
    [DataRow(2)]
    [DataRow(64)]
    public void TheDitKeepsItsWeightsAndNumbers(int batch)
    {
        var raw = OnnxReader.Read(Path.Combine(SharedFiles.Data(), "no-licence", "dit-mnist32-rectified-flow.onnx"));
        var normal = ModelNormalizer.Normalize(raw, new NormalizeOptions { Batch = batch });
        CheckNormal(raw, normal);
        Assert.HasCount(658, raw.Graph.Nodes);
        Assert.IsLessThanOrEqualTo(240, normal.Graph.Nodes.Count);
        Assert.AreEqual(72, raw.Graph.Initializers.Count(v => normal.Graph.Initializers.Exists(w => w.Name == v.Name)));
        // Same kernels in another grouping (MatMul and Add became Gemm): the outputs are of size 1 to 3, so 1e-6 is some units in the last place.
        CheckNumbers(raw, normal, 1e-6);
    }

    [TestMethod]
    public void TheDitRunsAtAnyBatchWhenItStaysSymbolic()
    {
        var raw = OnnxReader.Read(Path.Combine(SharedFiles.Data(), "no-licence", "dit-mnist32-rectified-flow.onnx"));
        var normal = ModelNormalizer.Normalize(raw);
        Assert.IsNotNull(normal.Graph.Inputs[0].Shape[0].Symbol);
        Assert.AreEqual(raw.Graph.Outputs[0].KnownShape, normal.Graph.Outputs[0].KnownShape);
        CheckNumbers(raw, normal, 1e-6);
    }

    [TestMethod]
    [DataRow("classifiers/mnist-cnn-pytorch.onnx")]
    [DataRow("classifiers/mnist-cntk.onnx")]
    [DataRow("generators/omori-gan-convtranspose.onnx")]
    [DataRow("onnx-light/light_squeezenet.onnx")]
    [DataRow("onnx-light/light_shufflenet.onnx")]
    public void NumbersStayTheSame(string file)
    {
        var raw = OnnxReader.Read(Path.Combine(SharedFiles.Data(), file));
        var normal = ModelNormalizer.Normalize(raw);
        CheckNormal(raw, normal);
        // Relative to the largest output: MatMul and Add become Gemm, sums are grouped otherwise.
        CheckNumbers(raw, normal, 1e-6);
    }

    [TestMethod]
    public void EveryLightModelKeepsItsWeights()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(SharedFiles.Data(), "onnx-light"), "*.onnx"))
        {
            var raw = OnnxReader.Read(file);
            CheckNormal(raw, ModelNormalizer.Normalize(raw));
        }
    }

    /// <summary>The batch is fixed at 1 in the file, but its Reshape takes -1: the whole shape may be given.</summary>
    [TestMethod]
    public void AFixedBatchIsChangedByWholeShapes()
    {
        var raw = OnnxReader.Read(Path.Combine(SharedFiles.Data(), "classifiers", "mnist-cnn-pytorch.onnx"));
        var input = raw.Graph.Inputs[0];
        var normal = ModelNormalizer.Normalize(raw, new NormalizeOptions { Shapes = new Dictionary<string, long[]> { [input.Name] = [64, 1, 28, 28] } });
        Assert.AreEqual(Shape.Of(64, 10), normal.Graph.Outputs[0].KnownShape);
    }

    private static void CheckNormal(OnnxModel raw, OnnxModel normal)
    {
        CollectionAssert.AreEqual(raw.Graph.Inputs.ConvertAll(v => v.Name), normal.Graph.Inputs.ConvertAll(v => v.Name));
        CollectionAssert.AreEqual(raw.Graph.Outputs.ConvertAll(v => v.Name), normal.Graph.Outputs.ConvertAll(v => v.Name));
        CollectionAssert.AreEqual(new[] { "" }, normal.Opsets.Keys.ToArray());
        Assert.IsFalse(normal.Graph.Nodes.Exists(n => Folded.Contains(n.OpType)));
        foreach (var value in normal.Graph.Nodes.SelectMany(n => n.Outputs.Concat(n.Inputs)).OfType<Value>())
            Assert.IsTrue(value.Type != ElementType.Undefined && value.KnownShape is { IsStatic: true }, value.ToString());
        var weights = normal.Graph.Initializers.ToDictionary(v => v.Name);
        var used = raw.Graph.Nodes.SelectMany(n => n.Inputs).OfType<Value>().ToHashSet();
        foreach (var weight in raw.Graph.Initializers.Where(v => v.Type.IsFloating() && v.Constant!.ElementCount > 1 && used.Contains(v)))
        {
            Assert.IsTrue(weights.TryGetValue(weight.Name, out var kept), $"lost {weight.Name}");
            Assert.IsTrue(weight.Constant!.Bytes.SequenceEqual(kept.Constant!.Bytes), $"changed {weight.Name}");
        }
    }

    private static void CheckNumbers(OnnxModel raw, OnnxModel normal, double tolerance)
    {
        var feeds = normal.Graph.Inputs.ToDictionary(v => v.Name, Feed);
        var options = new DeviceOptions { Optimization = GraphOptimization.None };
        using var before = GraphSession.Create(raw, options);
        using var after = GraphSession.Create(normal, options);
        foreach (var (name, expected) in before.Run(feeds))
        {
            var found = after.Run(feeds)[name];
            CollectionAssert.AreEqual(expected.Dims, found.Dims);
            var (a, b) = (expected.ToDoubles(), found.ToDoubles());
            var scale = Math.Max(1, a.Max(Math.Abs));
            Assert.IsTrue(Array.TrueForAll(a, double.IsFinite), "the test's inputs must not overflow");
            Assert.IsLessThanOrEqualTo(tolerance, a.Zip(b, (p, q) => Math.Abs(p - q)).Max() / scale);
        }
    }

    // Three samples where the batch is a symbol; class labels and times lie in [0, 10) and [0, 1), everything else is normal.
    private static TensorData Feed(Value input)
    {
        var dims = input.Shape.Select(d => d.IsKnown ? d.Size : 3).ToArray();
        var count = dims.Aggregate(1L, (a, b) => a * b);
        var stream = new NoiseStream(11, StreamId.Named(input.Name));
        if (input.Type == ElementType.Int64)
        {
            var labels = new long[count];
            stream.FillIntegers(labels, 10, 0);
            return TensorData.Of(labels, dims);
        }
        var floats = new float[count];
        if (dims.Length == 1)
            stream.FillUniform(floats, 0);
        else
            stream.FillNormal(floats, 0);
        return TensorData.Of(floats, dims);
    }
}
