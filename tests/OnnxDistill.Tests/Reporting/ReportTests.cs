using System.Globalization;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Tests.Cli;
using OnnxDistill.Tests.Javascript;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Reporting;

/// <summary>A run's report: one file, opened in headless Chromium without a network, in light and dark.</summary>
[TestClass]
public sealed class ReportTests
{
    [TestMethod]
    public void AReportOfPointsShowsTheRunAndDrawsFromIt()
    {
        using var files = new TinyFiles();
        CommandLine.Run("distill", files["tiny.json"], "-o", files["run"], "--set", "training.snapshotImages=160").Expect(0);
        var json = CommandLine.Run("report", files["run"], "--web-runtime", WebPages.RuntimeFolder, "--json").Expect(0).Json;
        Assert.AreEqual(Path.Combine(files["run"], "report.html"), json["report"]!.GetValue<string>());
        var model = OnnxReader.Read(Directory.GetFiles(files["run"], "generator-*.onnx").Order(StringComparer.Ordinal).Last());
        var result = Browse(files, json["report"]!.GetValue<string>(), WebPages.Case(model, 6, 500));
        foreach (var found in Schemes(result))
        {
            // Rows at 160, 320, 480 and 640 samples; snapshots there and at the start.
            AssertLines(found, "Loss of the fake score phase", 4);
            AssertLines(found, "Gradient norms", 4, 4);
            AssertLines(found, "Milliseconds a step", 4);
            AssertLines(found, "mmd100.mmd", 5, 5);
            Assert.HasCount(5, found["snapshots"]!.AsArray());
            Assert.AreEqual(5, found["different"]!.GetValue<int>());
            Assert.IsTrue(found["hasDenoised"]!.GetValue<bool>());
            StringAssert.Contains(found["text"]!.GetValue<string>(), "640 of 640");
            StringAssert.Contains(found["text"]!.GetValue<string>(), "finished");
            StringAssert.Contains(found["text"]!.GetValue<string>(), "Threads per session");
        }
        AssertDrawn(result, 1);
        Assert.AreNotEqual(result["light"]!["ground"]!.GetValue<string>(), result["dark"]!["ground"]!.GetValue<string>());
    }

    [TestMethod]
    [TestCategory("Slow")]
    public void AReportOfImagesShowsTheRunAndDrawsFromIt()
    {
        using var files = new TinyFiles();
        CommandLine.Run("distill", RepositoryRoot.Of("models", "mnist", "first.json"), "-o", files["run"], "--set", "training.images=48", "--set", "training.batch=8", "--set", "training.logImages=16",
            "--set", "training.snapshotImages=24", "--set", "evaluation.pictureSamples=9").Expect(0);
        CommandLine.Run("report", files["run"], "-o", files["report.html"], "--web-runtime", WebPages.RuntimeFolder).Expect(0);
        var model = OnnxReader.Read(Directory.GetFiles(files["run"], "generator-*.onnx").Order(StringComparer.Ordinal).Last());
        var result = Browse(files, files["report.html"], WebPages.Case(model, 2, 16), WebPages.Case(model, 2, 16, 3));
        foreach (var found in Schemes(result))
        {
            AssertLines(found, "Loss of the student phase", 3);
            Assert.AreEqual(3, found["different"]!.GetValue<int>());
            Assert.IsTrue(found["hasDenoised"]!.GetValue<bool>());
        }
        AssertDrawn(result, 2);
    }

    /// <summary>A fit has neither generator nor fake score, and this one has no metrics.</summary>
    [TestMethod]
    public void AReportOfAFitLeavesOutWhatItDoesNotHave()
    {
        using var files = new TinyFiles();
        CommandLine.Run("train", files["fit.json"], "-o", files["run"], "--set", "evaluation.samples=0", "--set", "evaluation.pictureSamples=20").Expect(0);
        CommandLine.Run("report", files["run"], "--no-demo").Expect(0);
        var result = Browse(files, Path.Combine(files["run"], "report.html"));
        foreach (var found in Schemes(result))
        {
            Assert.IsNull(found["demo"]);
            Assert.IsFalse(found["hasDenoised"]!.GetValue<bool>());
            StringAssert.Contains(found["text"]!.GetValue<string>(), "Samples through time");
            Assert.DoesNotContain("Metrics", found["text"]!.GetValue<string>());
        }
    }

    [TestMethod]
    public void AnUnfinishedRunWithIncidentsIsReportedAsItIs()
    {
        using var files = new TinyFiles();
        var run = files.Distilled();
        // A row that is cut off in the middle of a write, numbers that are not finite, and text that looks like markup.
        File.AppendAllText(Path.Combine(run, "log.csv"), "9");
        var log = File.ReadAllLines(Path.Combine(run, "log.csv"));
        File.WriteAllText(Path.Combine(run, "log.csv"), $"{log[0]}\n{log[1]}\n{string.Join(',', log[2].Split(',').Select((v, i) => i is 2 ? "NaN" : v))}\n12,3");
        File.WriteAllText(Path.Combine(run, "incidents.csv"), "utc,images_seen,incident,detail\n2026-01-02T03:04:05Z,160,warning,\"</script><b>other, \"\"threads\"\"\"\n");
        CommandLine.Run("report", run, "--no-demo").Expect(0);
        foreach (var found in Schemes(Browse(files, Path.Combine(run, "report.html"))))
        {
            var text = found["text"]!.GetValue<string>();
            StringAssert.Contains(text, "320 of 640");
            StringAssert.Contains(text, "not finished");
            StringAssert.Contains(text, "</script><b>other, \"threads\"");
            StringAssert.Contains(text, "--no-demo");
            AssertLines(found, "Loss of the fake score phase", 1);
        }
    }

    [TestMethod]
    public void AReportWithoutARuntimeSaysWhyAndHow()
    {
        using var files = new TinyFiles();
        var run = files.Distilled();
        var environment = new Dictionary<string, string?> { ["PATH"] = files.Folder, ["XDG_DATA_HOME"] = files["data"], ["HOME"] = files["home"], [OnnxDistill.Reporting.WebRuntime.Variable] = null };
        StringAssert.Contains(CommandLine.RunChild(files.Folder, ["report", run], environment).Expect(0).Output, "npm, which is not on the PATH");
        StringAssert.Contains(File.ReadAllText(Path.Combine(run, "report.html")), "npm, which is not on the PATH");
    }

    [TestMethod]
    public void WhatHasNoReportIsRefused()
    {
        using var files = new TinyFiles();
        StringAssert.Contains(CommandLine.Run("report", files["none"]).Expect(2).Error, "Check the path");
        StringAssert.Contains(CommandLine.Run("report", files.Folder).Expect(2).Error, "holds no run");
        var run = files.Distilled();
        var log = Path.Combine(run, "log.csv");
        File.WriteAllText(log, File.ReadAllLines(log)[0] + "\n");
        StringAssert.Contains(CommandLine.Run("report", run).Expect(2).Error, "logged nothing yet");
        Assert.IsFalse(File.Exists(Path.Combine(run, "report.html")));
    }

    private static JsonObject Browse(TinyFiles files, string report, params JsonNode[] cases)
    {
        var result = NodeTool.Browse("checks/report.mjs", report, files.Write("cases.json", new JsonArray(cases).ToJsonString()));
        foreach (var found in Schemes(result))
        {
            Assert.IsTrue(found["isChangedByLog"]!.GetValue<bool>());
            StringAssert.Contains(found["tip"]!.GetValue<string>(), "samples seen");
            Assert.IsEmpty(found["outside"]!.AsArray());
        }
        return result;
    }

    private static IEnumerable<JsonObject> Schemes(JsonObject result) => result.Select(scheme => scheme.Value!.AsObject());

    private static void AssertDrawn(JsonObject result, int cases)
    {
        foreach (var found in Schemes(result))
        {
            var differences = found["differences"]!.AsArray().Select(d => d!.GetValue<double>()).ToList();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"largest difference {differences.Max()}"));
            Assert.HasCount(cases, differences);
            // Two builds of ONNX Runtime sum in another order; the values are of size 1.
            Assert.IsLessThanOrEqualTo(1e-3, differences.Max());
        }
    }

    private static void AssertLines(JsonObject found, string title, params int[] points)
    {
        var chart = found["lines"]!.AsArray().Single(l => l!["title"]!.GetValue<string>() == title)!;
        CollectionAssert.AreEqual(points, chart["points"]!.AsArray().Select(p => p!.GetValue<int>()).ToArray(), title);
    }
}
