using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Model;
using OnnxDistill.Reporting;
using OnnxDistill.Sampling;
using OnnxDistill.Tests.Javascript;

namespace OnnxDistill.Tests.Reporting;

/// <summary>What tests of pages share: ONNX Runtime for browsers, and what a page is to draw.</summary>
internal static class WebPages
{
    /// <summary>The folder with ONNX Runtime for browsers; the test is skipped where tools/js has no packages.</summary>
    public static string RuntimeFolder
    {
        get
        {
            var folder = Path.Combine(NodeTool.Folder, "node_modules", "onnxruntime-web", "dist");
            return Directory.Exists(folder) ? folder : throw new AssertInconclusiveException("The packages of tools/js are not there. Run 'npm ci' in tools/js.");
        }
    }

    public static WebRuntime Runtime() => WebRuntime.Find(RuntimeFolder);

    /// <summary>A case of the scripts: what the page is set to, and the samples that .NET draws so.</summary>
    /// <param name="model">The generator.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="count">One of the counts that the page offers.</param>
    /// <param name="label">The class; null for all in turn.</param>
    public static JsonObject Case(OnnxModel model, long seed, int count, long? label = null)
    {
        using var sampler = new GeneratorSampler(model);
        var samples = sampler.Sample(count, seed, label is { } l ? _ => l : null);
        return Case(samples, seed, count, sampler.Labels > 0, label);
    }

    public static JsonObject Case(SampleSet samples, long seed, int count, bool isConditional = false, long? label = null)
    {
        var result = new JsonObject { ["seed"] = seed.ToString(System.Globalization.CultureInfo.InvariantCulture), ["count"] = count };
        if (isConditional)
            result["label"] = label;
        result["expected"] = new JsonArray([.. samples.Data.Select(v => (JsonNode)v)]);
        return result;
    }
}
