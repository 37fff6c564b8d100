using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Sampling;

namespace OnnxDistill.Tests.Cli;

/// <summary>sample: kinds of files, and that sample i depends on the seed and i only.</summary>
[TestClass]
public sealed class SampleTests
{
    [TestMethod]
    public void AGeneratorAndATeacherWriteEveryKindOfFile()
    {
        using var files = new TinyFiles();
        foreach (var model in new[] { files.Generator(), files["teacher.onnx"] })
        {
            foreach (var ending in new[] { "png", "npy", "csv" })
                CommandLine.Run("sample", model, "-n", "7", "--seed", "1", "-o", files[$"out/s.{ending}"]).Expect(0);
            Assert.AreEqual("89504E470D0A1A0A", Convert.ToHexString(File.ReadAllBytes(files["out/s.png"]).AsSpan(0, 8)), "the signature of PNG");
            var array = NpyFile.Read(files["out/s.npy"]);
            Assert.AreEqual("7, 2", string.Join(", ", array.Dims));
            var rows = File.ReadAllLines(files["out/s.csv"]);
            Assert.AreEqual("x_0,x_1", rows[0]);
            var numbers = rows.Skip(1).SelectMany(r => r.Split(',')).Select(c => float.Parse(c, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
            Assert.IsTrue(array.As<float>().SequenceEqual(numbers), "both files hold the same numbers, to the bit");
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void SampleIDependsOnTheSeedAndIOnly(bool teacher)
    {
        using var files = new TinyFiles();
        var model = teacher ? files["teacher.onnx"] : files.Generator();
        float[] Draw(int count, int seed)
        {
            CommandLine.Run("sample", model, "-n", $"{count}", "--seed", $"{seed}", "--steps", "4", "-o", files["s.npy"]).Expect(0);
            return NpyFile.Read(files["s.npy"]).As<float>().ToArray();
        }
        // 300 samples are more than one batch of either sampler, 5 less than one.
        var (many, few, again, other) = (Draw(300, 3), Draw(5, 3), Draw(300, 3), Draw(5, 4));
        Assert.IsTrue(many.AsSpan().SequenceEqual(again), "the same seed gives the same bits");
        CollectionAssert.AreNotEqual(few, other);
        // Kernels may sum in another order at another batch: the last bits only, at values of size 1.
        for (var i = 0; i < few.Length; i++)
            Assert.AreEqual(many[i], few[i], 1e-5f);
    }

    [TestMethod]
    public void ATeacherTakesItsClassesAndTheNullClassAndNoOther()
    {
        using var files = new TinyFiles();
        var raw = TinyFiles.Flow();
        raw.Graph.Inputs.Add(new Value("cond") { Type = ElementType.Int64, KnownShape = new Shape([Dim.Named("N")]) });
        CommandLine.Run("import", files.Write("raw.onnx", raw), "-o", files["t.onnx"], "--prediction", "flow", "--sigma-data", "1", "--labels", "3", "--null-label", "3").Expect(0);
        CommandLine.Run("sample", files["t.onnx"], "-n", "2", "--label", "2", "-o", files["s.csv"]).Expect(0);
        CommandLine.Run("sample", files["t.onnx"], "-n", "2", "--label", "3", "-o", files["s.csv"]).Expect(0);
        StringAssert.Contains(CommandLine.Run("sample", files["t.onnx"], "--label", "4", "-o", files["s.csv"]).Expect(2).Error, "--label: found 4, expected 0 to 2");
    }

    [TestMethod]
    public void StepsMatterForATeacher()
    {
        using var files = new TinyFiles();
        CommandLine.Run("sample", files["teacher.onnx"], "-n", "3", "--steps", "2", "-o", files["a.csv"]).Expect(0);
        CommandLine.Run("sample", files["teacher.onnx"], "-n", "3", "--steps", "18", "-o", files["b.csv"]).Expect(0);
        Assert.AreNotEqual(File.ReadAllText(files["a.csv"]), File.ReadAllText(files["b.csv"]));
    }

    /// <summary>A teacher that denoises everything to its class as a number, so that a sample tells its class.</summary>
    [TestMethod]
    public void AGridHasARowForEachClass()
    {
        using var files = new TinyFiles();
        var teacher = files.Write("classes.onnx", TestTeachers.Classes(1, 2, 2).Model);
        float[] Draw(params string[] more)
        {
            CommandLine.Run(["sample", teacher, "--sampler", "euler", "--steps", "1", "-o", files["s.npy"], .. more]).Expect(0);
            return [.. NpyFile.Read(files["s.npy"]).As<float>().ToArray().Chunk(4).Select(image => image[0])];
        }
        CollectionAssert.AreEqual(new float[] { 0, 0, 1, 1, 2, 2, 0, 0 }, Draw("--grid", "4x2"));
        CollectionAssert.AreEqual(new float[] { 0, 0, 1, 1, 2, 2 }, Draw("--grid", "-n", "5"));
        CollectionAssert.AreEqual(new float[] { 2, 2 }, Draw("--grid", "1x2", "--label", "2"));
        CollectionAssert.AreEqual(new float[] { -3, -1, 1, -3 }, Draw("-n", "4", "--guidance", "2"));
        CommandLine.Run("sample", teacher, "--grid", "2x3", "-o", files["s.png"]).Expect(0);
        // The picture's extents stand in bytes 16 to 23 of a PNG: three columns of two pixels and two rows, 106 times as large, gaps of 2.
        Assert.AreEqual("00000284000001AE", Convert.ToHexString(File.ReadAllBytes(files["s.png"]).AsSpan(16, 8)));
        StringAssert.Contains(CommandLine.Run("sample", teacher, "--grid", "3", "-o", files["s.png"]).Expect(2).Error, "--grid: found '3', expected rows x columns");
        StringAssert.Contains(CommandLine.Run("sample", files["teacher.onnx"], "--grid", "3x3", "-o", files["s.png"]).Expect(2).Error, "Rows and columns are for images");
    }

    [TestMethod]
    public void SamplerSettingsReachTheSamplerOfBothVerbs()
    {
        using var files = new TinyFiles();
        string Sample(params string[] more)
        {
            CommandLine.Run(["sample", files["teacher.onnx"], "-n", "3", "--steps", "6", "-o", files["a.csv"], .. more]).Expect(0);
            return File.ReadAllText(files["a.csv"]);
        }
        string Evaluate(params string[] more) => CommandLine.Run(["evaluate", files["teacher.onnx"], "--reference", files["mixture.csv"], "--metric", "logp100", "--steps", "6", .. more]).Expect(0).Output;
        foreach (var run in new Func<string[], string>[] { Sample, Evaluate })
        {
            string[][] ways = [[], ["--sampler", "euler"], ["--levels", "flow"], ["--churn", "2"], ["--churn", "2", "--churn-max", "1"], ["--churn", "2", "--churn-min", "1"],
                ["--churn", "2", "--churn-noise", "1.1"], ["--sampler", "ddim", "--eta", "0.5"]];
            var found = ways.Select(run).ToArray();
            Assert.HasCount(ways.Length, found.Distinct().ToArray(), string.Join('\n', found));
        }
        StringAssert.Contains(CommandLine.Run("sample", files["teacher.onnx"], "--sampler", "rk4", "--steps", "0", "-o", files["a.csv"]).Expect(2).Error, "--sampler: found 'rk4'");
        CommandLine.Run("sample", files["teacher.onnx"], "--guidance", "2", "-o", files["a.csv"]).Expect(4);
    }
}
