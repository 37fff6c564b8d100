using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Types and ranks of a network's inputs and outputs, as exporters write them: the teacher is the same.</summary>
[TestClass]
public sealed class InputFormTests
{
    private static readonly Dim N = Dim.Named("N");
    private static readonly ImportOptions Vp = new() { Prediction = "eps", Schedule = "vp", SigmaData = RawMixtures.SigmaData };

    public static IEnumerable<object[]> Times =>
    [
        [ElementType.Float32, Shape.Of(N, 1)], [ElementType.Float64, Shape.Of(N)], [ElementType.Float64, Shape.Of(N, 1)],
        [ElementType.Float32, Shape.Of(1)], [ElementType.Float64, Shape.Of(1)], [ElementType.Float32, Shape.Scalar], [ElementType.Float64, Shape.Scalar],
    ];

    [TestMethod]
    [DynamicData(nameof(Times))]
    public void ATimeOfAnyTypeAndRankIsToldOneASample(ElementType type, Shape shape)
    {
        var b = new GraphBuilder("raw");
        var x = b.Input("x", ElementType.Float32, Shape.Of(N, 2));
        var input = b.Input("t", type, shape);
        Value time = b.Cast(input, ElementType.Float32);
        if (shape.Rank == 0)
        {
            // As diffusers does it: one number becomes [1], which is expanded to the batch.
            var batch = b.Slice(b.Emit("Shape", [x], ElementType.Int64, Shape.Of(2)), 0, 0, 1);
            time = b.Emit("Expand", [b.Unsqueeze(time, 0), batch], ElementType.Float32, Shape.Of(N));
        }
        else if (shape.Rank == 2)
        {
            time = b.Squeeze(time, 1);
        }
        b.Output("eps", RawMixtures.Answer(b, "eps", RawFrames.Vp, x, time));
        // float32, as in ConventionTests.
        ImportedRaw.AssertExact(ImportedRaw.Import(new OnnxModel(b.Graph), Vp), RawFrames.Vp.Range, 1e-5);
    }

    [TestMethod]
    public void OneTimeForAllThatMixesSamplesIsRefused()
    {
        var b = new GraphBuilder("raw");
        var x = b.Input("x", ElementType.Float32, Shape.Of(N, 2));
        var t = b.Input("t", ElementType.Float32, Shape.Scalar);
        b.Output("eps", b.Mul(x, t));
        Expect.Error<TeacherMismatchException>(() => ImportedRaw.Import(new OnnxModel(b.Graph), Vp), "one time 't' for the whole batch", "Mul", "[N]");
    }

    [TestMethod]
    [DataRow(ElementType.Float64, 1e-5)] // float32, as in ConventionTests
    [DataRow(ElementType.Float16, 4e-3)] // its constants were rounded to 11 bits when it was made
    public void AnotherPrecisionBecomesFloat32(ElementType type, double tolerance)
    {
        var b = new GraphBuilder("raw");
        var x = b.Input("x", type, Shape.Of(N, 2));
        var sigma = b.Input("sigma", type, Shape.Of(N));
        // The posterior of N(0, 0.25): x / (1 + 4 sigma²), the 4 as a weight.
        var weight = b.Initializer("weight", type == ElementType.Float16 ? TensorData.Of([4f, 4f], 2).ToFloat16() : TensorData.Of([4.0, 4.0], 2));
        b.Output("clean", b.Div(x, b.Add(b.Mul(b.Square(b.Unsqueeze(sigma, 1)), weight), 1)));
        var teacher = ImportedRaw.Import(new OnnxModel(b.Graph), new ImportOptions { Prediction = "denoiser" });
        Assert.AreEqual("weight", teacher.AtBatch(2).Parameters.Single().Name);
        float[] points = [1, -1, 0.3f, 0.2f];
        var found = ImportedRaw.Denoise(teacher, points, [0.3f, 40f]);
        for (var i = 0; i < points.Length; i++)
            Assert.AreEqual(points[i] / (1 + (4 * (i < 2 ? 0.09 : 1600))), found[i], tolerance);
    }

    /// <summary>Mean and variance behind a reshape to sizes that are computed: the file then tells of the output only that it is there.</summary>
    [TestMethod]
    public void TheMeanIsFoundWhereTheFileHasLostTheOutputsExtents()
    {
        var b = new GraphBuilder("raw");
        var x = b.Input("x", ElementType.Float32, Shape.Of(N, 2));
        b.Input("sigma", ElementType.Float32, Shape.Of(N));
        var both = b.Concat(1, b.Mul(x, 0.5), b.Mul(x, 7));
        var sizes = b.Emit("Shape", [both], ElementType.Int64, Shape.Of(2));
        var output = b.Emit("Reshape", [both, sizes], ElementType.Float32, null);
        b.Graph.Outputs.Add(output);
        var teacher = ImportedRaw.Import(new OnnxModel(b.Graph), new ImportOptions { Prediction = "denoiser" });
        CollectionAssert.AreEqual(new double[] { 1, -2 }, ImportedRaw.Denoise(teacher, [2, -4], [1]));
    }

    public static IEnumerable<object[]> Labels =>
    [
        ["index", ElementType.Int64, Shape.Of(N), -1], ["index", ElementType.Int32, Shape.Of(N), -1], ["index", ElementType.Int64, Shape.Of(N, 1), -1], ["index", ElementType.Int32, Shape.Of(N, 1), 3],
        ["one-hot", ElementType.Float32, Shape.Of(N, 3), -1], ["one-hot", ElementType.Float32, Shape.Of(N, 3), 3], ["table", ElementType.Float32, Shape.Of(N, 2), 3], ["table", ElementType.Float32, Shape.Of(N, 2), -1],
    ];

    /// <summary>D = row of the class in [10 20; 30 40; 50 60; no class: 0 0].</summary>
    [TestMethod]
    [DynamicData(nameof(Labels))]
    public void ClassesAreToldAsTheNetworkTakesThem(string form, ElementType type, Shape shape, int nullLabel)
    {
        using var files = new TestFiles();
        NpyFile.Write(files["classes.npy"], TensorData.Of([10f, 20, 30, 40, 50, 60, 0, 0], 4, 2));
        var options = new ImportOptions { Prediction = "denoiser", Labels = 3, NullLabel = nullLabel, ClassTable = form == "table" ? files["classes.npy"] : "" };
        var teacher = ImportedRaw.Import(Classes(form, type, shape), options);
        Assert.AreEqual("label: Int64[N]", teacher.Model.Graph.Input(Denoiser.Label).ToString());
        long[] labels = nullLabel < 0 ? [2, 0, 1] : [2, 3, 0];
        var found = ImportedRaw.Denoise(teacher, new float[6], [1, 1, 1], labels);
        CollectionAssert.AreEqual(nullLabel < 0 ? [50, 60, 10, 20, 30, 40] : new double[] { 50, 60, 0, 0, 10, 20 }, found);
    }

    [TestMethod]
    [DataRow("index")]
    [DataRow("one-hot")]
    public void GuidanceIsFoldedInWithTheWeightsShared(string form)
    {
        var (type, shape) = form == "index" ? (ElementType.Int64, Shape.Of(N)) : (ElementType.Float32, Shape.Of(N, 3));
        var options = new ImportOptions { Prediction = "denoiser", Labels = 3, NullLabel = 3, Guidance = 1.5 };
        var teacher = ImportedRaw.Import(Classes(form, type, shape, nothing: 7), options);
        Assert.AreEqual(1.5, teacher.Card.Guidance);
        Assert.HasCount(1, teacher.AtBatch(2).Parameters, "one table for both evaluations");
        var nothing = form == "index" ? 7 : 0;
        // Without a class 7 (or the zero row), with class 1 (30, 40): D_null + 1.5 (D - D_null).
        CollectionAssert.AreEqual(new[] { nothing + (1.5 * (30 - nothing)), nothing + (1.5 * (40 - nothing)), nothing, nothing },
            ImportedRaw.Denoise(teacher, new float[4], [1, 1], [1, 3]));
    }

    [TestMethod]
    public void FurtherInputsAreConstantAndThoseOfAugmentationAreZeros()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("raw");
        var x = b.Input("x", ElementType.Float32, Shape.Of(N, 2));
        b.Input("sigma", ElementType.Float32, Shape.Of(N));
        var augment = b.Input("augment_labels", ElementType.Float32, Shape.Of(N, 9));
        var text = b.Input("text", ElementType.Float32, Shape.Of(N, 2));
        var scale = b.Input("scale", ElementType.Float32, Shape.Scalar);
        var size = b.Input("size", ElementType.Int64, Shape.Of(N));
        var parts = b.Mul(b.Add(b.Add(b.Mul(x, 0), text), b.ReduceSum(b.Add(augment, 1), [1])), scale);
        b.Output("clean", b.Add(parts, b.Cast(b.Unsqueeze(size, 1), ElementType.Float32)));
        b.Output("other", b.Mul(x, 3));
        NpyFile.Write(files["text.npy"], TensorData.Of([1.0, 2.0], 2));
        var options = new ImportOptions
        {
            Prediction = "denoiser",
            Output = "clean",
            Constants = new Dictionary<string, string> { ["text"] = files["text.npy"], ["scale"] = "2", ["size"] = "64" },
        };
        var teacher = ImportedRaw.Import(new OnnxModel(b.Graph), options);
        // (text + sum of nine (0 + 1)) · 2 + 64, for every sample of a batch.
        CollectionAssert.AreEqual(new double[] { 84, 86, 84, 86 }, ImportedRaw.Denoise(teacher, new float[4], [1, 2]));
        Expect.Error<TeacherMismatchException>(() => ImportedRaw.Import(new OnnxModel(b.Graph), options with { Output = "" }), "2 outputs", "--output-tensor");
    }

    [TestMethod]
    public void OfTwiceTheChannelsTheFirstHalfIsTaken()
    {
        var b = new GraphBuilder("raw");
        var x = b.Input("x", ElementType.Float32, Shape.Of(N, 2));
        var t = b.Input("t", ElementType.Float32, Shape.Of(N));
        var eps = RawMixtures.Answer(b, "eps", RawFrames.Vp, x, t);
        b.Output("out", b.Concat(1, eps, b.Mul(x, 100)));
        ImportedRaw.AssertExact(ImportedRaw.Import(new OnnxModel(b.Graph), Vp), RawFrames.Vp.Range, 1e-5); // as in ConventionTests
    }

    private static OnnxModel Classes(string form, ElementType type, Shape shape, float nothing = 0)
    {
        var b = new GraphBuilder("classes");
        var x = b.Input("x", ElementType.Float32, Shape.Of(N, 2));
        b.Input("sigma", ElementType.Float32, Shape.Of(N));
        var label = b.Input("y", type, shape);
        float[] rows = [10, 20, 30, 40, 50, 60];
        var row = form switch
        {
            "index" => b.Gather(b.Initializer("table", TensorData.Of([.. rows, nothing, nothing], 4, 2)), shape.Rank == 2 ? b.Squeeze(label, 1) : label, 0),
            "one-hot" => b.MatMul(label, b.Initializer("table", TensorData.Of(rows, 3, 2))),
            _ => label,
        };
        b.Output("clean", b.Add(b.Mul(x, 0), row));
        return new OnnxModel(b.Graph);
    }
}
