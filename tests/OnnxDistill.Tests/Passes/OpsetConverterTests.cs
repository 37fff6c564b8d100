using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.OpsetConversions;
using OnnxDistill.Tests.Gradients;
using OnnxDistill.Tests.Io;

namespace OnnxDistill.Tests.Passes;

/// <summary>Each listed form gives the same numbers on ONNX Runtime before and after its conversion.</summary>
[TestClass]
public sealed class OpsetConverterTests
{
    /// <summary>Relative to the largest number: both sides are float32 and differ in the order of a few operations at most.</summary>
    private const double Tolerance = 1e-6;

    public static IEnumerable<object[]> Cases => OpsetCases.All.Select(static c => new object[] { c });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ConvertedFormsGiveTheSameNumbers(OpsetCase form)
    {
        foreach (var shapesKnown in new[] { true, false })
        {
            if (!shapesKnown && form.NeedsShapes)
                continue;
            var before = OrtRuns.Run(OnnxWriter.ToBytes(form.Build(shapesKnown)), form.Feeds);
            var converted = OpsetConverter.Convert(form.Build(shapesKnown));
            Assert.IsEmpty(GraphChecker.Findings(converted));
            AssertClose(before, OrtRuns.Run(OnnxWriter.ToBytes(converted), form.Feeds), form.ToString());
        }
    }

    [TestMethod]
    [DataRow("onnx-light/light_squeezenet.onnx")]
    [DataRow("onnx-light/light_shufflenet.onnx")]
    [DataRow("onnx-light/light_inception_v1.onnx")]
    [DataRow("onnx-light/light_resnet50.onnx")]
    [DataRow("classifiers/mnist-cnn-pytorch.onnx")]
    [DataRow("classifiers/mnist-cntk.onnx")]
    [DataRow("generators/omori-gan-convtranspose.onnx")]
    [DataRow("no-licence/dit-mnist32-rectified-flow.onnx")]
    public void WholeModelsGiveTheSameNumbers(string file)
    {
        var path = Path.Combine(SharedFiles.Data(), file);
        if (!File.Exists(path))
            Assert.Inconclusive($"{file} is not there.");
        var model = OnnxReader.Read(path);
        var random = new Random(5);
        var feeds = model.Graph.Inputs.ToDictionary(static v => v.Name, v => OpsetCase.Random(random, v.Type, v.Shape.Select(static d => d.IsKnown ? d.Size : 2)));
        var before = OrtRuns.Run(OnnxWriter.ToBytes(model), feeds);
        AssertClose(before, OrtRuns.Run(OnnxWriter.ToBytes(OpsetConverter.Convert(model)), feeds), file);
    }

    [TestMethod]
    public void EveryLineOfTheListThatChangesNodesHasACase()
    {
        var forms = OpsetCases.All.Select(static c => (c.OpType, c.Opset)).Concat(GradientCases.All.Where(static c => c.Domain.Length == 0).Select(static c => (OpType: c.Op, c.Opset)));
        var covered = forms.Select(static c => ConversionList.Find(c.OpType, c.Opset)).ToHashSet();
        var missing = ConversionList.All.Where(c => !covered.Contains(c) && !c.OnlyRefuses).Select(static c => $"{c.OpType} {c.From}-{c.To}");
        Assert.AreEqual("", string.Join(", ", missing));
    }

    private static void AssertClose(IReadOnlyList<TensorData> expected, IReadOnlyList<TensorData> actual, string where)
    {
        Assert.HasCount(expected.Count, actual);
        foreach (var (a, b) in expected.Zip(actual))
        {
            Assert.AreEqual((a.Type, a.Shape), (b.Type, b.Shape), where);
            if (!a.Type.IsFloating())
            {
                Assert.IsTrue(a.Bytes.SequenceEqual(b.Bytes), where);
                continue;
            }
            var (x, y) = (a.ToDoubles(), b.ToDoubles());
            var scale = Math.Max(1e-3, x.Max(Math.Abs));
            Assert.IsTrue(double.IsFinite(scale), where);
            Assert.AreEqual(0, x.Zip(y, static (p, q) => Math.Abs(p - q)).Max(), Tolerance * scale, where);
        }
    }
}
