using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OnnxDistill.Data.Images;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Javascript;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>What ONNX Runtime's own training session made of a folder.</summary>
/// <param name="Json">Names, losses, the evaluation's loss before and after.</param>
/// <param name="Weights">The trained parameters, one after the other.</param>
internal sealed record OrtSession(JsonObject Json, float[] Weights)
{
    /// <summary>Runs a step for each set of feeds, and an evaluation before and after.</summary>
    public static OrtSession Run(TestFiles files, string folder, IEnumerable<IReadOnlyList<(string Name, TensorData Data)>> steps, IReadOnlyList<(string Name, TensorData Data)> evaluation,
        JsonObject? names = null)
    {
        var plan = new JsonObject
        {
            ["steps"] = new JsonArray([.. steps.Select(Feeds)]),
            ["eval"] = Feeds(evaluation),
            ["files"] = names,
        };
        var json = NodeTool.Json("checks/ort-training.mjs", folder, files.Write("feeds.json", plan.ToJsonString()));
        return new OrtSession(json, [.. MemoryMarshal.Cast<byte, float>(Convert.FromBase64String(Text(json, "weights")))]);
    }

    /// <summary>What the engine feeds its only phase at that update.</summary>
    public static List<(string Name, TensorData Data)> FeedsOf(TrainingProgram program, long update)
    {
        var (graph, training) = (program.Graphs.Single(), program.Recipe.Recipe.Training);
        var images = program.Images is null ? default
            : new ImageBatches(program.Images, training.Seed, $"{graph.Phase.Name}/real", training.Batch, training.Batch, program.Recipe.Recipe.Data.Flip).Take(update, 0, (update + 1, 0));
        return [.. graph.Feeds.Select(f => (f.Name, Numbers(f)))];

        TensorData Numbers(Feed feed)
        {
            var count = (int)feed.Dims.Aggregate(1L, (n, d) => n * d);
            var stream = new NoiseStream(training.Seed, PhaseRunner.StreamOf(graph.Phase, feed));
            var (floats, longs) = (new float[count], new long[count]);
            switch (feed.Kind)
            {
                case FeedKind.Image:
                    return TensorData.Of(images.Pixels, feed.Dims);
                case FeedKind.ImageLabel:
                    return TensorData.Of(images.Labels, feed.Dims);
                case FeedKind.Ramp:
                    return TensorData.Of([(float)feed.Ramp!.At(update * training.Batch)], feed.Dims);
                case FeedKind.Label:
                    stream.FillIntegers(longs, feed.Bound, update);
                    return TensorData.Of(longs, feed.Dims);
                case FeedKind.Normal:
                    stream.FillNormal(floats, update);
                    return TensorData.Of(floats, feed.Dims);
                default:
                    stream.FillUniform(floats, update);
                    return TensorData.Of(floats, feed.Dims);
            }
        }
    }

    /// <summary>A number of the answer.</summary>
    public double Number(string key) => Json[key]!.GetValue<double>();

    /// <summary>A list of names of the answer.</summary>
    public string[] Names(string key) => [.. Json[key]!.AsArray().Select(n => n!.GetValue<string>())];

    private static JsonArray Feeds(IReadOnlyList<(string Name, TensorData Data)> feeds) => new([.. feeds.Select(f => new JsonObject
    {
        ["name"] = f.Name,
        ["type"] = f.Data.Type.ToString().ToLowerInvariant(),
        ["dims"] = new JsonArray([.. f.Data.Dims.Select(d => JsonValue.Create(d))]),
        ["data"] = Convert.ToBase64String(f.Data.Bytes),
    })]);

    private static string Text(JsonObject json, string key) => json[key]!.GetValue<string>();
}
