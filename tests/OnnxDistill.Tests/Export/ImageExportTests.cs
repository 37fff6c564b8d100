using System.Globalization;
using OnnxDistill.Export;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Students;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Export;

/// <summary>Exports of a run on images: what users get, and what further runs get.</summary>
[TestClass]
public sealed class ImageExportTests
{
    private static TestFiles? _files;

    private static TestFiles Files => _files!; // made before every test

    [ClassInitialize]
    public static void Run(TestContext _)
    {
        _files = new TestFiles();
        ImageRuns.WriteTeacher(Files);
        ImageRuns.Distil(Files);
    }

    [ClassCleanup]
    public static void Clean() => Files.Dispose();

    [TestMethod]
    public void AnImageIsClampedInTheExportedGraphAndNotInTheRunsOwn()
    {
        var source = RunExport.FromRun(Files["run"]);
        var own = Sample(source.Build());
        Assert.IsTrue(own.Any(static x => Math.Abs(x) > 1), "the toy draws beyond the range");
        CollectionAssert.AreEqual(own, Sample(OnnxReader.Read(Directory.GetFiles(Files["run"], "generator-*.onnx").Order(StringComparer.Ordinal).Last())));
        var model = GeneratorExport.Run(source, new ExportOptions()).Model;
        Assert.AreEqual("image: Float32[N, 1, 8, 8]", string.Join(", ", model.Graph.Outputs));
        CollectionAssert.AreEqual(Array.ConvertAll(own, static x => Math.Clamp(x, -1, 1)), Sample(model));
    }

    [TestMethod]
    public void BytesAreTheNearestToTheFloats()
    {
        var source = RunExport.FromRun(Files["run"]);
        var model = GeneratorExport.Run(source, new ExportOptions { Pixels = PixelForm.Byte }).Model;
        Assert.AreEqual("image: UInt8[N, 8, 8, 1]", string.Join(", ", model.Graph.Outputs));
        var expected = Array.ConvertAll(Sample(source.Build()), static x => (byte)MathF.Round(Math.Clamp((x * 127.5f) + 127.5f, 0, 255)));
        // The sampler gives bytes as the floats that they stand for.
        CollectionAssert.AreEqual(expected, Array.ConvertAll(Sample(model), static x => (byte)MathF.Round((x * 127.5f) + 127.5f)));
    }

    [TestMethod]
    public void ColoursOfAByteImageLieSideBySide()
    {
        var b = new OnnxDistill.Graph.Building.GraphBuilder();
        b.Output("image", b.Mul(b.Input("z", ElementType.Float32, Shape.Of(Dim.Named("N"), 3, 1, 2)), 1));
        var model = new OnnxModel(b.Graph);
        model.Metadata[GeneratorMetadata.Data] = "image";
        GeneratorPixels.Add(model, PixelForm.Byte);
        // -1.5 and 1.5 are beyond; 0 is 127.5, which goes to the even 128.
        var z = TensorData.Of([-1f, -1.5f, 0, 1, 1.5f, 0.2f], 1, 3, 1, 2);
        using (var session = GraphSession.Create(model))
        {
            var bytes = session.Run(new Dictionary<string, TensorData> { ["z"] = z })["image"];
            CollectionAssert.AreEqual(new long[] { 1, 1, 2, 3 }, bytes.Dims);
            CollectionAssert.AreEqual(new byte[] { 0, 128, 255, 0, 255, 153 }, bytes.As<byte>().ToArray());
            CollectionAssert.AreEqual(new float[] { -1, -1, 0, 1, 1, 0.2f }, Array.ConvertAll(GeneratorPixels.Floats(bytes), static x => MathF.Round(x * 100) / 100));
        }
        GeneratorPixels.Remove(model, "it");
        using var whole = GraphSession.Create(model);
        CollectionAssert.AreEqual(z.As<float>().ToArray(), whole.Run(new Dictionary<string, TensorData> { ["z"] = z })["image"].As<float>().ToArray());
        Assert.AreEqual("image: Float32[N, 3, 1, 2]", model.Graph.Outputs[0].ToString());
    }

    /// <summary>Clamping would take the gradient of what lies beyond.</summary>
    [TestMethod]
    [DataRow(PixelForm.Float)]
    [DataRow(PixelForm.Byte)]
    public void AFurtherRunTrainsTheExportedGeneratorWithoutItsClamp(PixelForm pixels)
    {
        var source = RunExport.FromRun(Files["run"]);
        OnnxWriter.Write(GeneratorExport.Run(source, new ExportOptions { Pixels = pixels }).Model, Files[$"student-{pixels}.onnx"]);
        var student = GeneratorImporter.Read(Files[$"student-{pixels}.onnx"], new GeneratorOptions(), 2, [1, 8, 8]);
        CollectionAssert.AreEqual(Sample(source.Build()), Sample(student.Model));
        Assert.IsFalse(student.Model.Graph.Nodes.Exists(static n => n.OpType is "Clip" or "Round"));
        // Exported once more it is the same file again.
        var again = GeneratorExport.Run(GeneratorExport.FromFile(Files[$"student-{pixels}.onnx"]), new ExportOptions { Pixels = pixels }).Model;
        CollectionAssert.AreEqual(Sample(OnnxReader.Read(Files[$"student-{pixels}.onnx"])), Sample(again));
    }

    [TestMethod]
    [DataRow(ExportPrecision.Float16, 0.75)]
    [DataRow(ExportPrecision.Int8, 0.6)]
    public void AReducedFileIsSmallerAndTellsWhatItCosts(ExportPrecision precision, double most)
    {
        var source = RunExport.FromRun(Files["run"]);
        var full = GeneratorExport.Run(source, new ExportOptions()).Model;
        var result = GeneratorExport.Run(source, new ExportOptions { Precision = precision, Samples = 20 });
        var (bytes, fullBytes) = (OnnxWriter.ToBytes(result.Model).Length, OnnxWriter.ToBytes(full).Length);
        Assert.IsLessThan(most * fullBytes, bytes, $"of {fullBytes}"); // the names of a toy's nodes weigh as much as its weights
        Assert.IsNotNull(result.Loss);
        var difference = Sample(full).Zip(Sample(result.Model), static (a, b) => Math.Abs((double)a - b)).Max();
        Assert.IsGreaterThan(0, difference);
        Assert.IsLessThanOrEqualTo(1.5 * result.Loss.Largest, difference); // other latents
        Assert.IsGreaterThan(0, result.Loss.Mean);
        Assert.IsGreaterThan(20, result.Loss.Psnr ?? 0);
        Assert.AreEqual(precision.Name(), result.Model.Metadata["onnxdistill.precision"]);
        Assert.AreEqual("20", result.Model.Metadata["onnxdistill.loss_samples"]);
        Assert.AreEqual(result.Loss.Largest, double.Parse(result.Model.Metadata["onnxdistill.loss_largest"], CultureInfo.InvariantCulture), 1e-3 * result.Loss.Largest); // four digits
        OnnxWriter.Write(result.Model, Files[$"reduced-{precision}.onnx"]);
        Expect.Error<TeacherMismatchException>(() => GeneratorImporter.Read(Files[$"reduced-{precision}.onnx"], new GeneratorOptions(), 2, [1, 8, 8]), precision.Name(), "no longer in it");
    }

    [TestMethod]
    public void AScaleAlongTheWrongAxisIsCaught()
    {
        var source = RunExport.FromRun(Files["run"]);
        var model = GeneratorExport.Run(source, new ExportOptions { Precision = ExportPrecision.Int8, Samples = 2 }).Model;
        foreach (var scale in model.Graph.Initializers.Where(static i => i.Name.EndsWith(":scale", StringComparison.Ordinal)))
            scale.Constant = TensorData.Of([.. scale.Constant!.As<float>().ToArray().Reverse()], scale.Constant.Dims); // an initializer has its data
        Expect.Error<CheckFailedException>(() => GeneratorCheck.Run(model, source.Student, source.Weights), "does not bear int8");
    }

    [TestMethod]
    public void EveryEntryOfTheMetadataIsListed()
    {
        var result = GeneratorExport.Run(RunExport.FromRun(Files["run"]), new ExportOptions { Precision = ExportPrecision.Float16, Pixels = PixelForm.Byte, Samples = 2, LabelNames = ["zero", "ü, \"one\""] });
        var metadata = result.Model.Metadata;
        foreach (var key in metadata.Keys)
            Assert.IsTrue(GeneratorMetadata.All.Any(a => key == a.Key || (a.Key.EndsWith('.') && key.StartsWith(a.Key, StringComparison.Ordinal))), $"'{key}' is in no list");
        foreach (var (key, _) in GeneratorMetadata.All.Where(static a => !a.Key.EndsWith('.')))
            Assert.IsTrue(metadata.ContainsKey(key), $"'{key}' is missing");
        Assert.AreEqual("ü, \"one\"", System.Text.Json.Nodes.JsonNode.Parse(metadata["onnxdistill.label_names"])!.AsArray()[1]!.GetValue<string>());
        Assert.AreEqual("CC0", metadata["onnxdistill.teacher_licence"]);
        Assert.AreEqual("1,3,8", metadata["onnxdistill.check_batches"]);
        Assert.AreEqual("0..255", metadata["onnxdistill.range"]);
        Expect.Error<RecipeException>(() => GeneratorExport.Run(RunExport.FromRun(Files["run"]), new ExportOptions { LabelNames = ["one"] }), "found 1", "expected 2");
    }

    [TestMethod]
    public void ARunIsTheTeacherOfTheNext()
    {
        var source = RunExport.FromRun(Files["run"], asDenoiser: true);
        var result = GeneratorExport.Run(source, new ExportOptions());
        Assert.IsTrue(result.Check.Passed);
        OnnxWriter.Write(result.Model, Files["chained.onnx"]);
        var (first, chained) = (Denoiser.Load(Files["teacher.onnx"]), Denoiser.Load(Files["chained.onnx"]));
        Assert.AreEqual(first.Card with { Source = chained.Card.Source }, chained.Card);
        StringAssert.Contains(chained.Card.Source, "diff-instruct, 16 samples, of a teacher: made up");
        Assert.AreEqual(first.Hash(), chained.Model.Metadata["onnxdistill.teacher_sha256"]);

        var second = RunExport.FromRun(ImageRuns.Distil(Files, "second", "chained.onnx"));
        var generator = GeneratorExport.Run(second, new ExportOptions());
        Assert.AreEqual(chained.Hash(), generator.Model.Metadata["onnxdistill.teacher_sha256"]);
        // It began as the first run's student, and has moved.
        var (before, after) = (Sample(RunExport.FromRun(Files["run"])), Sample(second));
        var moved = before.Zip(after, static (a, b) => Math.Abs((double)a - b)).Average();
        Assert.IsGreaterThan(0, moved);
        Assert.IsLessThan(0.3, moved); // four steps at a rate of 1e-3
    }

    [TestMethod]
    public void AStudentThatIsNoDenoiserIsNoTeacher()
    {
        var run = ImageRuns.Distil(Files, "particles", "teacher.onnx", """generator={"kind":"particles","count":8}""");
        Expect.Error<TeacherMismatchException>(() => RunExport.FromRun(run, asDenoiser: true), "is no denoiser", "as its 'student'");
        Expect.Error<TeacherMismatchException>(() => GeneratorExport.Run(RunExport.FromRun(run), new ExportOptions { Precision = ExportPrecision.Float16 }), "no products", "fp32");
        var result = GeneratorExport.Run(RunExport.FromRun(run), new ExportOptions { Precision = ExportPrecision.Int8, Samples = 10 });
        Assert.IsGreaterThan(30, result.Loss!.Psnr ?? 0); // an int8 table of samples: a reduced one has a loss
    }

    private static float[] Sample(ExportSource source) => Sample(source.Build());

    private static float[] Sample(OnnxModel model)
    {
        using var sampler = new GeneratorSampler(model, new DeviceOptions { Threads = 1 });
        return sampler.Sample(6, 3).Data;
    }
}
