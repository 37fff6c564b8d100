using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Reporting;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Students;
using OnnxDistill.Tests.Cli;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Javascript;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Reporting;

/// <summary>The page of a generator, in headless Chromium: it draws what .NET draws, and answers to its visitor.</summary>
[TestClass]
public sealed class WebDemoTests
{
    /// <summary>Two builds of ONNX Runtime sum in another order; the values are of size 1.</summary>
    private const double Tolerance = 1e-3;

    [TestMethod]
    public void APageOfDigitsDrawsWhatDotNetDraws()
    {
        using var files = new TestFiles();
        var model = OnnxReader.Read(RepositoryRoot.Of("models", "mnist", "generator.onnx"));
        WebDemo.Write(model, files["page"], WebPages.Runtime());
        var result = Browse(files, WebPages.Case(model, 0, 16), WebPages.Case(model, 7, 16, 4), WebPages.Case(model, -9_000_000_000_000_000_001, 1, 9), WebPages.Case(model, 0, 36));
        AssertDrawn(result, 4, Tolerance);
        StringAssert.Contains(result["facts"]!.GetValue<string>(), "Teacher's licence");
    }

    [TestMethod]
    public void APageOfPointsDrawsWhatDotNetDraws()
    {
        using var files = new TinyFiles();
        var page = CommandLine.Run("export", files.Distilled(), "-o", files["generator.onnx"], "--web", files["page"], "--web-runtime", WebPages.RuntimeFolder, "--json").Expect(0).Json;
        Assert.AreEqual(Path.Combine(files["page"], "index.html"), page["page"]!.GetValue<string>());
        var model = OnnxReader.Read(files["generator.onnx"]);
        var cases = files.Write("cases.json", new JsonArray(WebPages.Case(model, 3, 500), WebPages.Case(model, 4, 5000)).ToJsonString());
        AssertDrawn(NodeTool.Browse("checks/demo.mjs", files["page"], cases), 2, Tolerance);
    }

    /// <summary>A generator may also give bytes, colours last.</summary>
    [TestMethod]
    public void APageShowsImagesOfBytes()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("bytes");
        var z = b.Input("z", ElementType.Float32, new Shape([Dim.Named("N"), 2, 2, 3]));
        var image = b.Cast(b.Clip(b.Round(b.Add(b.Mul(z, 60), 128)), 0, 255), ElementType.UInt8);
        b.Output("image", image);
        var model = new OnnxModel(b.Graph) { Metadata = { [Generator.KindKey] = Generator.Kind, [Generator.DataKey] = "image" } };
        WebDemo.Write(model, files["page"], WebPages.Runtime());
        var numbers = new float[16 * 12];
        new NoiseStream(5, StreamId.Latent).FillNormal(numbers, 0);
        var expected = new SampleSet([2, 2, 3], Array.ConvertAll(numbers, v => Math.Clamp(MathF.Round((v * 60) + 128), 0, 255)));
        AssertDrawn(Browse(files, WebPages.Case(expected, 5, 16)), 1, 0);
    }

    [TestMethod]
    public void TheScriptsRandomNumbersAreDotNets()
    {
        using var files = new TestFiles();
        var cases = new JsonArray();
        foreach (var (seed, stream, step, first, count) in new[] { (0L, "z", 0L, 0L, 4096), (-5L, "labels", 3L, 29L, 70), (long.MaxValue, "a stream of its own: é", (1L << 40) + 7, 1_000_001L, 500), (long.MinValue, "epsilon", 1L, 31L, 2) })
        {
            var noise = new NoiseStream(seed, StreamId.Named(stream));
            JsonObject Case(string kind, IEnumerable<long> expected) => new()
            {
                ["seed"] = $"{seed}",
                ["stream"] = stream,
                ["step"] = step,
                ["first"] = first,
                ["kind"] = kind,
                ["bound"] = "1000003",
                ["expected"] = new JsonArray([.. expected.Select(e => (JsonNode)$"{e}")]),
            };
            var (normal, uniform, integers) = (new float[count], new float[count], new long[count]);
            noise.FillNormal(normal, step, first);
            noise.FillUniform(uniform, step, first);
            noise.FillIntegers(integers, 1_000_003, step, first);
            cases.Add(Case("normal", normal.Select(v => (long)BitConverter.SingleToInt32Bits(v))));
            cases.Add(Case("uniform", uniform.Select(v => (long)BitConverter.SingleToInt32Bits(v))));
            cases.Add(Case("integers", integers));
        }
        var result = NodeTool.Json("checks/philox.mjs", files.Write("cases.json", cases.ToJsonString()));
        Assert.AreEqual((3 * 4668, 0), (result["numbers"]!.GetValue<int>(), result["wrong"]!.GetValue<int>()));
    }

    [TestMethod]
    public void WhatAPageCannotShowIsRefusedBeforeAnythingIsWritten()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("volume");
        b.Output("image", b.Input("z", ElementType.Float32, new Shape([Dim.Named("N"), 5, 4, 4])));
        var model = new OnnxModel(b.Graph) { Metadata = { [Generator.KindKey] = Generator.Kind, [Generator.DataKey] = "image" } };
        var runtime = WebPages.Runtime();
        StringAssert.Contains(Assert.ThrowsExactly<TeacherMismatchException>(() => WebDemo.Write(model, files["page"], runtime)).Message, "images [5, 4, 4]");
        Assert.IsFalse(Directory.Exists(files["page"]));
    }

    [TestMethod]
    public void APageOfSomebodyElseIsKeptAndAnOwnOneReplaced()
    {
        using var files = new TinyFiles();
        var (run, runtime) = (files.Distilled(), WebPages.RuntimeFolder);
        string[] export = ["export", run, "-o", files["generator.onnx"], "--web", files["page"], "--web-runtime", runtime];
        CommandLine.Run(export).Expect(0);
        CommandLine.Run(export).Expect(0);
        File.WriteAllText(Path.Combine(files["page"], "index.html"), "<p>mine</p>");
        StringAssert.Contains(CommandLine.Run(export).Expect(3).Error, "has not written");
        Assert.AreEqual("<p>mine</p>", File.ReadAllText(Path.Combine(files["page"], "index.html")));
    }

    [TestMethod]
    public void ARuntimeThatIsNotThereIsToldWithItsCure()
    {
        using var files = new TinyFiles();
        string[] export = ["export", files["run"], "-o", files["g.onnx"]];
        StringAssert.Contains(CommandLine.Run([.. export, "--web", files["page"], "--web-runtime", files.Folder]).Expect(3).Error, $"onnxruntime-web {WebRuntime.PinnedVersion}");
        StringAssert.Contains(CommandLine.Run([.. export, "--web-runtime", files.Folder]).Expect(2).Error, "without --web");
        var environment = new Dictionary<string, string?> { ["PATH"] = files.Folder, ["XDG_DATA_HOME"] = files["data"], ["HOME"] = files["home"], [WebRuntime.Variable] = null };
        var error = CommandLine.RunChild(files.Folder, [.. export, "--web", files["page"]], environment).Expect(4).Error;
        StringAssert.Contains(error, "npm, which is not on the PATH");
        StringAssert.Contains(error, "--web-runtime");
        Assert.IsEmpty(Directory.Exists(files["data"]) ? Directory.GetFileSystemEntries(Path.Combine(files["data"], "OnnxDistill")) : []);
    }

    private static JsonObject Browse(TestFiles files, params JsonNode[] cases) =>
        NodeTool.Browse("checks/demo.mjs", files["page"], files.Write("cases.json", new JsonArray(cases).ToJsonString()));

    private static void AssertDrawn(JsonObject result, int cases, double tolerance)
    {
        var differences = result["differences"]!.AsArray().Select(d => d!.GetValue<double>()).ToList();
        Console.WriteLine($"largest differences: {string.Join(", ", differences)}");
        Assert.HasCount(cases, differences);
        Assert.IsLessThanOrEqualTo(tolerance, differences.Max());
        Assert.IsTrue(result["isChangedByNew"]!.GetValue<bool>());
        Assert.IsTrue(result["isChangedBySelection"]!.GetValue<bool>());
        StringAssert.Contains(result["saved"]!.GetValue<string>(), "samples-seed-");
        StringAssert.Contains(result["refusal"]!.GetValue<string>(), "whole number");
    }
}
