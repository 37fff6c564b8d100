using OnnxDistill.Cli;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Students;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Cli;
using OnnxDistill.Tests.Io;

namespace OnnxDistill.Tests.Students;

/// <summary>Runs whose student is no denoiser, by the command's own words.</summary>
[TestClass]
public sealed class StudentRunTests
{
    private static readonly string[] Foreign = ["--set", "student=foreign.onnx"];
    private static readonly string[] Particles = ["--set", "generator={\"kind\":\"particles\",\"count\":8}", "--set", "training.optimizer.learningRate=0.05"];

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void AStudentOfAnotherArchitectureIsTrainedExportedSampledAndMeasured(bool particles)
    {
        using var files = new TinyFiles();
        var set = Setting(files, particles);
        var plan = CommandLine.Run(["distill", files["tiny.json"], "-o", files["run"], "--dry-run", "--json", .. set]).Expect(0).Json;
        Assert.IsGreaterThan(1e8, plan["memory"]!["total"]!.GetValue<double>());
        Assert.AreEqual(particles ? 16 : 8, plan["networks"]!.AsArray().Single(n => n!["role"]!.GetValue<string>() == "student")!["parameters"]!.GetValue<int>());

        CommandLine.Run(["distill", files["tiny.json"], "-o", files["run"], .. set]).Expect(0);
        CommandLine.Run("export", files["run"], "-o", files["g.onnx"]).Expect(0);
        CommandLine.Run("sample", files["g.onnx"], "-n", "5", "-o", files["s.csv"]).Expect(0);
        Assert.HasCount(6, File.ReadAllLines(files["s.csv"]));
        CommandLine.Run("evaluate", files["g.onnx"], "--reference", files["mixture.csv"], "--metric", "mmd100").Expect(0);
        var artifacts = CommandLine.Run(["artifacts", files["tiny.json"], "-o", files["artifacts"], .. set]).Expect(0);
        Assert.DoesNotContain("sigmaInit", File.ReadAllText(files["artifacts/manifest.json"]), artifacts.Output);
        // The student has moved: it is not what it was.
        var first = OnnxReader.Read(Directory.GetFiles(files["run"], "generator-*000.000.onnx").Single());
        var weight = particles ? "particles" : "fc.weight";
        CollectionAssert.AreNotEqual(Weight(first, weight), Weight(OnnxReader.Read(files["g.onnx"]), weight));
        var last = OnnxReader.Read(Directory.GetFiles(files["run"], "generator-*640.onnx").Single());
        CollectionAssert.AreEqual(Weight(last, weight), Weight(OnnxReader.Read(files["g.onnx"]), weight));
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void AResumedRunOfAnotherArchitectureEndsWithTheBytesOfAnUnbrokenOne(bool particles)
    {
        using var files = new TinyFiles();
        var set = Setting(files, particles);
        CommandLine.Run(["distill", files["tiny.json"], "-o", files["half"], "--set", "training.images=320", .. set]).Expect(0);
        var resumed = CommandLine.Run(["distill", files["tiny.json"], "--resume", files["half"], "--json", .. set]).Expect(0).Json;
        var whole = CommandLine.Run(["distill", files["tiny.json"], "-o", files["whole"], "--json", .. set]).Expect(0).Json;
        RunTests.AssertSameGenerator(whole, resumed);
    }

    [TestMethod]
    public void AStateIsNotResumedWithAnotherStudent()
    {
        using var files = new TinyFiles();
        var set = Setting(files, particles: false);
        CommandLine.Run(["distill", files["tiny.json"], "-o", files["run"], "--set", "training.images=320", .. set]).Expect(0);
        var model = ForeignGenerators.Linear(1);
        var bias = model.Graph.Initializers.Single(i => i.Name == "fc.bias");
        bias.Constant = TensorData.Of([9f, 9f], 2);
        files.Write("foreign.onnx", model);
        StringAssert.Contains(CommandLine.Run(["distill", files["tiny.json"], "--resume", files["run"], .. set]).Expect(ExitCodes.BadInput).Error, "student");
    }

    [TestMethod]
    public void AFinishedRunIsTheStartOfAnotherMethod()
    {
        using var files = new TinyFiles();
        var finished = files.Generator();
        var run = CommandLine.Run("distill", files["tiny.json"], "-o", files["second"], "--json", "--set", $"student={finished}", "--set", "method=sid", "--set", "training.images=32",
            "--set", "training.optimizer.learningRate=0").Expect(0).Json;
        // At a learning rate of 0 the second run hands on what it was given.
        var (before, after) = (OnnxReader.Read(finished), OnnxReader.Read(run["generator"]!.GetValue<string>()));
        foreach (var name in new[] { "hidden.0.weight", "output.bias" })
            CollectionAssert.AreEqual(Weight(before, name), Weight(after, name));
        Assert.AreEqual("sid", after.Metadata["onnxdistill.method"]);
    }

    [TestMethod]
    public void AGanThatDrawsSpritesIsRefinedByATeacherOfItsSize()
    {
        var gan = Path.Combine(SharedFiles.Data(), "generators", "omori-gan-convtranspose.onnx");
        using var files = new TinyFiles();
        var teacher = NetworkCatalog.Build(new()
        {
            ["kind"] = "song-unet",
            ["channels"] = 4,
            ["multipliers"] = new System.Text.Json.Nodes.JsonArray(1, 1),
            ["blocks"] = 1,
            ["attentionResolutions"] = new System.Text.Json.Nodes.JsonArray()
        }, new TeacherCard(), 3, 32, 32);
        files.Write("unet.onnx", teacher.Model);
        var recipe = files.Write("refine.json", $$"""
            { "method": "diff-instruct", "teacher": "unet.onnx", "student": "{{gan}}",
              "training": { "batch": 4, "images": 8, "optimizer": { "learningRate": 1e-4 } }, "evaluation": { "samples": 0, "pictureSamples": 4 } }
            """);
        var run = CommandLine.Run("distill", recipe, "-o", files["run"], "--json").Expect(0).Json;
        Assert.AreEqual(0, run["skippedUpdates"]!.GetValue<int>());
        var refined = new Generator(OnnxReader.Read(run["generator"]!.GetValue<string>()));
        CollectionAssert.AreEqual(new long[] { 16, 1, 1 }, refined.LatentShape);
        Assert.AreEqual(723968, refined.AtAnyBatch().ParameterCount, "as many as the file's README says");
        CommandLine.Run("export", files["run"], "-o", files["g.onnx"]).Expect(0);
        CommandLine.Run("sample", files["g.onnx"], "-n", "4", "-o", files["s.png"]).Expect(0);
    }

    private static string[] Setting(TinyFiles files, bool particles)
    {
        files.Write("foreign.onnx", ForeignGenerators.Linear(1));
        return particles ? Particles : Foreign;
    }

    private static float[] Weight(OnnxModel model, string name) => model.Graph.Initializers.Single(i => i.Name == name).Constant!.As<float>().ToArray(); // an initializer
}
