using OnnxDistill.Graph;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Raw networks become teachers, or are refused with what to try.</summary>
[TestClass]
public sealed class TeacherImporterTests
{
    private static readonly Shape Batch = Shape.Of(Dim.Named("N"));

    [TestMethod]
    public void InputsAreGuessedByTypeAndRank()
    {
        var b = new GraphBuilder();
        b.Input("when", ElementType.Float32, Batch);
        b.Input("which", ElementType.Int64, Batch);
        b.Input("what", ElementType.Float32, Shape.Of(Dim.Named("N"), 3, 8, 8));
        var roles = InputRoles.Guess(b.Graph);
        Assert.AreEqual(("what", "when", "which"), (roles.Sample?.Name, roles.Time?.Name, roles.Label?.Name));
    }

    [TestMethod]
    public void NamesGoBeforeGuesses()
    {
        var b = new GraphBuilder();
        b.Input("skip", ElementType.Float32, Shape.Of(Dim.Named("N"), 3, 8, 8));
        b.Input("x", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        b.Input("a", ElementType.Float32, Batch);
        b.Input("t", ElementType.Float32, Batch);
        b.Input("i", ElementType.Int64, Batch);
        b.Input("j", ElementType.Int64, Batch);
        var roles = InputRoles.Guess(b.Graph, new ImportOptions { SampleInput = "x", TimeInput = "t", LabelInput = "j" });
        Assert.AreEqual(("x", "t", "j"), (roles.Sample?.Name, roles.Time?.Name, roles.Label?.Name));
        Expect.Error<TeacherMismatchException>(() => InputRoles.Guess(b.Graph, new ImportOptions { TimeInput = "clock" }), "'clock'", "skip", "t");
    }

    [TestMethod]
    public void AnImportedFlowDenoisesAndTellsSoInItsCard()
    {
        using var files = new TestFiles();
        OnnxWriter.Write(RawNetworks.Flow(0.3, 0.5), files["flow.onnx"]);
        var teacher = TeacherImporter.Import(files["flow.onnx"], new ImportOptions { SigmaData = 0.7, Licence = "MIT" });
        Assert.AreEqual(("flow", 0.7, 0, "MIT", "flow.onnx"),
            (teacher.Card.Prediction, teacher.Card.SigmaData, teacher.Card.Labels, teacher.Card.Licence, teacher.Card.Source));
        OnnxWriter.Write(teacher.Model, files["teacher.onnx"]);
        Assert.AreEqual(teacher.Card, Denoiser.Load(files["teacher.onnx"]).Card);

        using var session = GraphSession.Load(files["teacher.onnx"]);
        foreach (var count in new[] { 1, 3 })
        {
            var found = session.Run(new Dictionary<string, TensorData>
            {
                [Denoiser.X] = TensorData.Of(Enumerable.Repeat(1f, 2 * count).ToArray(), count, 2),
                [Denoiser.Sigma] = TensorData.Of(Enumerable.Repeat(0.5f, count).ToArray(), count),
            })[Denoiser.Denoised].ToDoubles();
            foreach (var number in found)
                Assert.AreEqual((0.25 + (0.25 * 0.3)) / 0.5, number, 1e-6); // float32
        }
    }

    [TestMethod]
    public void LabelsAreCarriedThroughAndWeightsKeepTheirNames()
    {
        using var files = new TestFiles();
        OnnxWriter.Write(Conditional(ElementType.Int64), files["classes.onnx"]);
        var teacher = TeacherImporter.Import(files["classes.onnx"], new ImportOptions { Prediction = "denoiser", Labels = 3, NullLabel = -1 });
        CollectionAssert.AreEqual(new[] { "x", "sigma", "label" }, teacher.Model.Graph.Inputs.ConvertAll(i => i.Name));
        CollectionAssert.AreEqual(new[] { "table" }, teacher.AtBatch(2).Parameters.Select(p => p.Name).ToArray());
        using var session = GraphSession.Create(teacher.Model);
        var found = session.Run(new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(new float[4], 2, 2),
            [Denoiser.Sigma] = TensorData.Of([1f, 1f], 2),
            [Denoiser.Label] = TensorData.Of([2L, 0L], 2),
        })[Denoiser.Denoised].ToDoubles();
        CollectionAssert.AreEqual(new double[] { 5, 6, 1, 2 }, found);
    }

    public static IEnumerable<object[]> Refused =>
    [
        [RawNetworks.Flow(0, 1), new ImportOptions { Labels = 10 }, new[] { "no input for labels", "10 labels" }],
        [RawNetworks.Flow(0, 1), new ImportOptions { SampleInput = "image" }, new[] { "no input 'image'", "state" }],
        [RawNetworks.Flow(0, 1), new ImportOptions { Output = "eps" }, new[] { "no output 'eps'", "velocity" }],
        [RawNetworks.Model((b, x, t) => b.Mul(x, 2), ("y", ElementType.Int64, Batch)), new ImportOptions(), new[] { "takes labels as 'y'", "--labels" }],
        [RawNetworks.Model((b, x, t) => b.Mul(x, 2), ("y", ElementType.Int64, Shape.Of(Dim.Named("N"), 5))), new ImportOptions { Labels = 3 }, new[] { "index [N] or [N, 1]", "Int64" }],
        [RawNetworks.Model((b, x, t) => b.Mul(x, 2), ("y", ElementType.Float32, Shape.Of(Dim.Named("N"), 5))), new ImportOptions { Labels = 3 }, new[] { "[N, 3] of floats", "--class-table" }],
        [RawNetworks.Model((b, x, t) => b.Mul(x, 2), ("y", ElementType.Float32, Shape.Of(Dim.Named("N"), 3))), new ImportOptions { Labels = 3, NullLabel = 0 }, new[] { "--null-label", "found 0", "row of zeros" }],
        [RawNetworks.Model((b, x, t) => b.Mul(x, 2), ("guidance", ElementType.Float32, Batch)), new ImportOptions(), new[] { "beside sample, time and label", "guidance", "--constant" }],
        [RawNetworks.Model((b, x, t) => b.Slice(x, 1, 0, 1)), new ImportOptions(), new[] { "predicts velocity", "[N, 1]", "--output-tensor" }],
        [Single(2), new ImportOptions(), new[] { "no sample and time", "--sample-input", "--time-input" }],
        [RawNetworks.Model((b, x, t) => b.Mul(x, 2), ("clock", ElementType.Float32, Shape.Of(Dim.Named("N"), 1, 1))), new ImportOptions { TimeInput = "clock", Constants = new Dictionary<string, string> { ["t"] = "0" } },
            new[] { "takes its time as clock", "[N, 1]" }],
        [RawNetworks.Model((b, x, t) => b.Mul(x, 2), ("step", ElementType.Int64, Batch)), new ImportOptions { TimeInput = "step", Constants = new Dictionary<string, string> { ["t"] = "0" } },
            new[] { "whole numbers", "--time step", "table:FILE" }],
    ];

    [TestMethod]
    [DynamicData(nameof(Refused))]
    public void WhatDoesNotFitIsRefusedWithItsName(OnnxModel model, ImportOptions options, string[] words)
    {
        using var files = new TestFiles();
        OnnxWriter.Write(model, files["raw.onnx"]);
        Expect.Error<TeacherMismatchException>(() => TeacherImporter.Import(files["raw.onnx"], options), words);
    }

    [TestMethod]
    public void OperatorsWithoutAGradientAreAllNamed()
    {
        using var files = new TestFiles();
        OnnxWriter.Write(RawNetworks.Model((b, x, _) =>
        {
            var rough = b.Emit("QuantizeLinear", [x, b.Scalar(0.1)], ElementType.UInt8, x.KnownShape);
            return b.Emit("DequantizeLinear", [rough, b.Scalar(0.1)], ElementType.Float32, x.KnownShape);
        }), files["raw.onnx"]);
        Expect.Error<UnsupportedOpException>(() => TeacherImporter.Import(files["raw.onnx"], new ImportOptions()), "2 node(s)", "QuantizeLinear", "DequantizeLinear");
    }

    [TestMethod]
    public void AnExtentThatIsNotKnownIsRefused()
    {
        using var files = new TestFiles();
        var model = RawNetworks.Flow(0, 1);
        model.Graph.Inputs[0].KnownShape = Shape.Of(Dim.Named("N"), Dim.Named("D"));
        foreach (var value in model.Graph.Outputs)
            value.KnownShape = null;
        OnnxWriter.Write(model, files["raw.onnx"]);
        Expect.Error<TeacherMismatchException>(() => TeacherImporter.Import(files["raw.onnx"], new ImportOptions()), "every extent but the batch");
    }

    // D = table[label].
    private static OnnxModel Conditional(ElementType labels)
    {
        var b = new GraphBuilder("classes");
        var x = b.Input("noisy", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        b.Input("time", ElementType.Float32, Batch);
        var label = b.Input("class", labels, Batch);
        var table = b.Initializer("table", TensorData.Of([1f, 2, 3, 4, 5, 6], 3, 2));
        b.Output("clean", b.Add(b.Mul(x, 0), b.Gather(table, label, 0)));
        return new OnnxModel(b.Graph);
    }

    private static OnnxModel Single(int dimension)
    {
        var b = new GraphBuilder("single");
        b.Output("y", b.Mul(b.Input("x", ElementType.Float32, Shape.Of(Dim.Named("N"), dimension)), 2));
        return new OnnxModel(b.Graph);
    }
}
