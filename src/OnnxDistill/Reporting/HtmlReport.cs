using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Students;
using OnnxDistill.Training;

namespace OnnxDistill.Reporting;

/// <summary>A run as one HTML file that needs nothing else: curves, pictures through time, numbers, options, and its newest generator to draw from.</summary>
public static class HtmlReport
{
    // A page that holds more is slow to open and shows no more.
    private const int MostSnapshots = 40;

    private static readonly string[] Headlines = [".distance", ".kid", ".mmd", ".covered"];

    /// <summary>Refuses a run that has no report: before anything is fetched for it.</summary>
    /// <exception cref="RunFolderException">There is no run, or it has logged nothing yet.</exception>
    /// <exception cref="RecipeException">The run's options or its newest state are damaged.</exception>
    public static void Require(string run) => _ = RunReport.Read(run);

    /// <summary>Writes the report of a run, whole or not at all.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="path">The file; null for <c>report.html</c> in the run folder.</param>
    /// <param name="runtime">ONNX Runtime for browsers, for the demo; null for a report without it.</param>
    /// <param name="noDemo">What the report says in the demo's place.</param>
    /// <returns>The file's path and size in bytes.</returns>
    /// <exception cref="RunFolderException">There is no run, or it has logged nothing yet.</exception>
    /// <exception cref="RecipeException">The run's options or its newest state are damaged.</exception>
    public static (string Path, long Bytes) Write(string run, string? path = null, WebRuntime? runtime = null, string noDemo = "")
    {
        var report = RunReport.Read(run);
        var target = path ?? report.Folder.ReportPath;
        var (demo, embedded) = Demo(report, runtime);
        var reason = demo is null && runtime is not null ? "The run has no exported generator that a page could show." : noDemo;
        var texts = new Dictionary<string, string>
        {
            ["title"] = WebUtility.HtmlEncode(Path.GetFileName(report.Folder.Path)),
            ["lead"] = WebUtility.HtmlEncode(Lead(report)),
            ["style"] = WebFiles.Read("style.css") + WebFiles.Read("report.css"),
            ["run"] = Describe(report, demo, reason).ToJsonString(),
            ["embedded"] = embedded,
            ["script"] = WebFiles.Bundle("dom.mjs", "philox.mjs", "generator.mjs", "points.mjs", "demo.mjs", "charts.mjs", "report.mjs"),
            ["made"] = WebUtility.HtmlEncode($"Made by OnnxDistill {Version}."),
        };
        AtomicFile.Write(target, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            WebFiles.Fill(writer, WebFiles.Read("report.html"), texts);
        });
        return (target, new FileInfo(target).Length);
    }

    private static string Version => typeof(HtmlReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private static string Lead(RunReport report)
    {
        var of = report.IsFit ? "" : report.Recipe.Teacher.Length > 0 ? $" of {Path.GetFileName(report.Recipe.Teacher)}" : "";
        return $"{(report.IsFit ? "Fit of a teacher" : "Distillation")}{of} by {report.Method}, in batches of {report.Recipe.Training.Batch.ToString("N0", CultureInfo.InvariantCulture)}.";
    }

    private static JsonObject Describe(RunReport report, JsonNode? demo, string noDemo)
    {
        var shown = Spread(report.Snapshots);
        return new JsonObject
        {
            ["isFit"] = report.IsFit,
            ["isPoints"] = report.Model is not null && IsPoints(report.Model),
            ["imagesSeen"] = report.ImagesSeen,
            ["images"] = report.Recipe.Training.Images,
            ["batch"] = report.Recipe.Training.Batch,
            ["seconds"] = report.Seconds,
            ["isFinished"] = report.IsFinished,
            ["headline"] = new JsonArray([.. Headline(report)]),
            ["generator"] = report.Model is null ? null : new JsonObject { ["file"] = Path.GetFileName(report.Model), ["bytes"] = new FileInfo(report.Model).Length },
            ["log"] = report.Log.ToJson(),
            ["metrics"] = report.Metrics?.ToJson(),
            ["snapshotsFound"] = report.Snapshots.Count,
            ["snapshots"] = new JsonArray([.. shown.Select(s => (JsonNode)new JsonObject
            {
                ["imagesSeen"] = s.ImagesSeen,
                ["samples"] = Picture(s.Samples),
                ["denoised"] = s.Denoised is null ? null : Picture(s.Denoised),
            })]),
            ["incidents"] = new JsonArray([.. report.Incidents.Select(i => (JsonNode)new JsonObject
            {
                ["utc"] = i.Utc,
                ["imagesSeen"] = i.ImagesSeen,
                ["incident"] = i.Incident,
                ["detail"] = i.Detail,
            })]),
            ["environment"] = report.Environment?.DeepClone(),
            ["options"] = report.Options.DeepClone(),
            ["demo"] = demo,
            ["noDemo"] = noDemo,
        };
    }

    private static bool IsPoints(string model) => OnnxReader.Read(model) is var file && file.Metadata.GetValueOrDefault(GeneratorMetadata.Data, "image") != "image";

    private static string Picture(string path) => $"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(path))}";

    private static List<RunSnapshot> Spread(IReadOnlyList<RunSnapshot> all) => all.Count <= MostSnapshots ? [.. all]
        : [.. Enumerable.Range(0, MostSnapshots).Select(i => all[(int)Math.Round((double)i * (all.Count - 1) / (MostSnapshots - 1))])];

    // What one looks for first: the last value of a distance, and the best on the way.
    private static IEnumerable<JsonNode> Headline(RunReport report)
    {
        if (report.Metrics is not { Rows.Count: > 0 } metrics)
            yield break;
        var found = Headlines.SelectMany(h => metrics.Columns.Where(c => c.EndsWith(h, StringComparison.Ordinal) && !c.StartsWith("real.", StringComparison.Ordinal))).Take(2);
        foreach (var column in found)
        {
            var values = metrics.Column(column).Where(double.IsFinite).ToList();
            if (values.Count == 0)
                continue;
            var best = column.EndsWith(".covered", StringComparison.Ordinal) ? values.Max() : values.Min();
            yield return new JsonObject { ["name"] = column, ["value"] = values[^1], ["detail"] = string.Create(CultureInfo.InvariantCulture, $"at the last snapshot; the best was {best:G4}") };
        }
    }

    private static (JsonNode? Info, string Embedded) Demo(RunReport report, WebRuntime? runtime)
    {
        if (runtime is null || report.IsFit || report.Model is null)
            return (null, "");
        var bytes = File.ReadAllBytes(report.Model);
        JsonNode info;
        try
        {
            info = GeneratorInfo.Of(OnnxReader.Read(report.Model), Path.GetFileName(report.Model), bytes.Length, runtime.Version).ToJson();
        }
        catch (TeacherMismatchException)
        {
            return (null, "");
        }
        var parts = new[] { ("ort-script", runtime.ReadScript()), ("ort-binary", runtime.ReadBinary()), ("model", bytes) };
        return (info, string.Join('\n', parts.Select(p => $"<script type=\"text/plain\" id=\"{p.Item1}\">{Packed(p.Item2)}</script>")));
    }

    private static string Packed(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            gzip.Write(bytes);
        return Convert.ToBase64String(packed.GetBuffer(), 0, (int)packed.Length);
    }
}
