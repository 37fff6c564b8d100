using OnnxDistill.Cli;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Export;

namespace OnnxDistill.Tests.Cli;

/// <summary>The forms that the verb <c>export</c> writes.</summary>
[TestClass]
public sealed class ExportVerbTests
{
    [TestMethod]
    public void ARunsOwnEvaluationShowsWhatAPrecisionCosts()
    {
        using var files = new TinyFiles();
        var json = CommandLine.Run("export", files.Distilled(), "-o", files["half.onnx"], "--precision", "fp16", "--json").Expect(0).Json;
        Assert.AreEqual(100, json["loss"]!["samples"]!.GetValue<int>());
        var (full, reduced) = (json["loss"]!["full"]!.AsObject(), json["loss"]!["reduced"]!.AsObject());
        CollectionAssert.AreEqual(full.Select(static m => m.Key).ToArray(), reduced.Select(static m => m.Key).ToArray());
        Assert.IsTrue(full.Any(static m => m.Key.StartsWith("mmd", StringComparison.Ordinal)), full.ToJsonString());
        Assert.IsTrue(json["metadata"]!.AsObject().Any(static m => m.Key.StartsWith("onnxdistill.metric.mmd", StringComparison.Ordinal)));
        StringAssert.Contains(CommandLine.Run("export", files["run"], "-o", files["half.onnx"], "--precision", "fp16").Expect(0).Output, "fp16 against fp32 on 100 samples");
        CommandLine.Run("sample", files["half.onnx"], "-n", "4", "-o", files["s.csv"]).Expect(0);
        StringAssert.Contains(CommandLine.Run("export", files["half.onnx"], "-o", files["whole.onnx"]).Expect(ExitCodes.NotSupported).Error, "exported in fp16");
        Assert.IsFalse(File.Exists(files["whole.onnx"]));
    }

    [TestMethod]
    public void AGeneratorsFileIsWrittenInAnotherFormAndItsDistanceIsShown()
    {
        using var files = new TestFiles();
        ImageRuns.WriteTeacher(files);
        var generator = Directory.GetFiles(ImageRuns.Distil(files), "generator-*.onnx").Order(StringComparer.Ordinal).Last();
        OnnxWriter.Write(Pixels(), files["pixels.onnx"]);
        NpyFile.Write(files["reference.npy"], TensorData.Of([.. new TestRandom(4).Uniforms(20 * 64).Select(static u => (float)((2 * u) - 1))], 20, 1, 8, 8));
        string[] features = ["--reference", files["reference.npy"], "--features", files["pixels.onnx"], "-n", "12"];

        StringAssert.Contains(CommandLine.Run("export", generator, "-o", files["small.onnx"], "--precision", "int8").Expect(ExitCodes.WrongUsage).Error, "--unmeasured");
        Assert.IsFalse(File.Exists(files["small.onnx"]));
        var json = CommandLine.Run(["export", generator, "-o", files["small.onnx"], "--precision", "int8", "--pixels", "uint8", "--label-names", "a", "b", "--json", .. features]).Expect(0).Json;
        var shown = json["loss"]!["reduced"]!["fd12-pixels.distance"]!.GetValue<double>();
        // The samples of the file measure the same: same latents, same numbers.
        var measured = CommandLine.Run(["evaluate", files["small.onnx"], "--json", .. features]).Expect(0).Json["metrics"]!["fd12-pixels.distance"]!.GetValue<double>();
        Assert.AreEqual(shown, measured, 1e-9 * Math.Abs(shown));
        Assert.AreEqual("""["a","b"]""", json["metadata"]!["onnxdistill.label_names"]!.GetValue<string>());
        CommandLine.Run("sample", files["small.onnx"], "-o", files["s.png"], "-n", "4").Expect(0);
        CommandLine.Run("export", generator, "-o", files["small.onnx"], "--precision", "int8", "--unmeasured").Expect(0);

        foreach (var (line, code, words) in new (string[], int, string[])[]
        {
            (["export", generator, "-o", generator], ExitCodes.WrongUsage, ["would be replaced"]),
            (["export", generator, "-o", files["x.onnx"], "--as", "denoiser"], ExitCodes.WrongUsage, ["is a file", "run's folder"]),
            (["export", files["teacher.onnx"], "-o", files["x.onnx"]], ExitCodes.NotSupported, ["a denoiser, no generator"]),
            (["export", files["pixels.onnx"], "-o", files["x.onnx"]], ExitCodes.NotSupported, ["no generator of this project's form"]),
            (["export", files["run"], "-o", files["x.onnx"], "--as", "denoiser", "--precision", "fp16"], ExitCodes.WrongUsage, ["--as denoiser", "Leave --precision"]),
            (["export", files["run"], "-o", files["x.onnx"], "--as", "denoiser", "--pixels", "uint8"], ExitCodes.WrongUsage, ["--as denoiser"]),
            (["export", generator, "-o", files["x.onnx"], "--precision", "fp16", "--unmeasured", .. features], ExitCodes.WrongUsage, ["--unmeasured beside"]),
            (["export", generator, "-o", files["x.onnx"], .. features], ExitCodes.WrongUsage, ["fp32 export"]),
            (["export", generator, "-o", files["x.onnx"], "--label-names", "a"], ExitCodes.BadInput, ["found 1", "expected 2"]),
        })
        {
            var error = CommandLine.Run(line).Expect(code).Error;
            foreach (var word in words)
                StringAssert.Contains(error, word);
            Assert.IsFalse(File.Exists(files["x.onnx"]));
        }
    }

    [TestMethod]
    public void AsADenoiserARunsStudentIsATeacher()
    {
        using var files = new TinyFiles();
        CommandLine.Run("export", files.Distilled(), "-o", files["chained.onnx"], "--as", "denoiser").Expect(0);
        Assert.AreEqual(Denoiser.Load(files["teacher.onnx"]).Card.SigmaData, Denoiser.Load(files["chained.onnx"]).Card.SigmaData);
        CommandLine.Run("distill", files["tiny.json"], "-o", files["second"], "--set", "teacher=chained.onnx", "--set", "training.images=64").Expect(0);
        CommandLine.Run("train", files["fit.json"], "-o", files["fit"]).Expect(0);
        StringAssert.Contains(CommandLine.Run("export", files["fit"], "-o", files["g.onnx"], "--as", "generator").Expect(ExitCodes.WrongUsage).Error, "makes a denoiser");
        StringAssert.Contains(CommandLine.Run("export", files["fit"], "-o", files["g.onnx"]).Expect(0).Output, "checked at batch 1, 3, 8");
    }

    private static OnnxModel Pixels()
    {
        var b = new OnnxDistill.Graph.Building.GraphBuilder("pixels");
        b.Output("features", b.Reshape(b.Slice(b.Input("image", ElementType.Float32, new Shape([Dim.Named("N"), 1, 8, 8])), [2, 3], [0, 0], [2, 2], [1, 1]), new Shape([Dim.Named("N"), 4])));
        return new OnnxModel(b.Graph);
    }
}
