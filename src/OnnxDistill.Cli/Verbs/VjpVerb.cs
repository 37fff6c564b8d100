using System.CommandLine;
using System.Globalization;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Verification;

namespace OnnxDistill.Cli.Verbs;

/// <summary>The gradients of any model as files, to compare with those of another framework.</summary>
internal static class VjpVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "ONNX file, opset 7 to 25, float32 or float64." };
        var feeds = new Option<string>("--feeds") { HelpName = "FILE", Description = "An array for every input, by name (.npz; .npy for a model with one input).", Required = true };
        var cotangents = new Option<string>("--cotangents")
        {
            HelpName = "FILE",
            Description = "Arrays by output name (.npz; .npy for a model with one output); an output left out counts as zero.",
            Required = true,
        };
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "Where the gradients go (.npz): one array a floating input or weight.", Required = true };
        var outputs = new Option<string>("--outputs") { HelpName = "FILE", Description = "Where the model's floating outputs go (.npz)." };
        var batch = new Option<long?>("--batch") { HelpName = "N", Description = "Samples that the feeds must have, where the file leaves the batch open." };
        return Verb.Create("vjp", "Gradients of sum(cotangent * output) with respect to every floating input and weight of a model.",
            [model, feeds, cotangents, output, outputs, batch], (parsed, report, _) =>
        {
            var target = parsed.GetValue(output)!;
            var file = OnnxReader.Read(parsed.GetValue(model)!);
            var inputs = FeedFiles.Read(parsed.GetValue(feeds)!, file.Graph.Inputs, "input");
            var seeds = FeedFiles.Read(parsed.GetValue(cotangents)!, file.Graph.Outputs, "output");
            CheckBatch(file.Graph, inputs, parsed.GetValue(batch));
            var result = Run(file, inputs, seeds);

            NpzFile.Write(target, result.Gradients);
            if (parsed.GetValue(outputs) is { } forward)
                NpzFile.Write(forward, result.Outputs);
            Show(result, target, report);
            return ExitCodes.Done;
        });
    }

    private static VectorJacobianResult Run(OnnxModel model, IReadOnlyDictionary<string, TensorData> feeds, IReadOnlyDictionary<string, TensorData> cotangents)
    {
        try
        {
            return VectorJacobianProduct.Run(model, feeds, cotangents);
        }
        catch (ArgumentException error)
        {
            throw new ModelFileException(error.Message, error);
        }
    }

    private static void CheckBatch(OnnxGraph graph, IReadOnlyDictionary<string, TensorData> feeds, long? batch)
    {
        var others = graph.Inputs.Where(i => batch is not null && i.KnownShape is { Rank: > 0 } shape && !shape[0].IsKnown
            && feeds.TryGetValue(i.Name, out var tensor) && tensor.Dims is [var samples, ..] && samples != batch).Select(i => i.Name).ToList();
        if (others.Count > 0)
            throw new ModelFileException($"--batch asks for {batch} samples, but these feeds have another first extent: {string.Join(", ", others)}.");
    }

    private static void Show(VectorJacobianResult result, string target, Report report)
    {
        var rows = result.Gradients.Select(static g => (g.Key, g.Value.Type, g.Value.Shape, Norm: Norm(g.Value))).ToList();
        report.Set("file", target);
        report.Set("gradients", rows.Select(static r => new { Name = r.Key, Type = r.Type.ToString(), Dims = r.Shape.Sizes(), Norm = double.IsFinite(r.Norm) ? r.Norm : (double?)null }));
        report.Set("outputs", result.Outputs.Keys);
        report.Set("nodes", result.Nodes);
        report.Set("gradientNodes", result.GradientNodes);
        foreach (var (name, type, shape, norm) in rows)
            report.Line(string.Create(CultureInfo.InvariantCulture, $"{name}: {type}{shape}, norm {norm:G6}"));
        report.Line($"{target}: {rows.Count} gradients; {result.Nodes} nodes, {result.GradientNodes} with gradients");
    }

    private static double Norm(TensorData tensor) => Math.Sqrt(tensor.ToDoubles().Sum(static x => x * x));
}
