using System.Globalization;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Repository;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>Recipes that other programs train from their artifacts, and the losses that they should then have.</summary>
internal static class TrainedRecipes
{
    /// <summary>The ring of models/ring8 at batch 64, or a tiny convolutional network of three classes.</summary>
    public static TrainingProgram Program(TestFiles files, string kind) => TrainingProgram.Build(kind == "points"
        ? RecipeLoader.Load(RepositoryRoot.Of("models", "ring8", "diff-instruct.json"), ["training.batch=64"])
        : Images(files, "sid", new JsonObject { ["batch"] = 8, ["optimizer"] = new JsonObject { ["learningRate"] = 3e-4 }, ["ema"] = new JsonObject { ["halfLifeImages"] = 64, ["rampUp"] = 0.1 } }));

    /// <summary>A method that learns from real images.</summary>
    public static TrainingProgram WithImages(TestFiles files)
    {
        const int count = 6;
        files.Write("images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8, .. new byte[count * 64]]);
        files.Write("labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, count, 0, 1, 2, 0, 1, 2]);
        return TrainingProgram.Build(Images(files, "gan", new JsonObject { ["batch"] = 2 }, new JsonObject { ["images"] = "images-idx3-ubyte", ["labels"] = "labels-idx1-ubyte" }));
    }

    /// <summary>The losses of that many iterations, by phase.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, double>> Losses(TrainingEngine engine, int steps) => [.. Enumerable.Range(0, steps).Select(_ => engine.Step().Losses)];

    /// <summary>Both agree to a ten-thousandth: of each loss, or of the phase's largest where a loss passes through zero.</summary>
    public static void AreEqual(IReadOnlyList<IReadOnlyDictionary<string, double>> expected, JsonArray found)
    {
        Assert.HasCount(expected.Count, found);
        var largest = 0.0;
        for (var step = 0; step < expected.Count; step++)
        {
            var losses = found[step]!["losses"]!.AsObject();
            CollectionAssert.AreEquivalent(expected[step].Keys.ToArray(), losses.Select(l => l.Key).ToArray());
            foreach (var (phase, loss) in expected[step])
            {
                var scale = expected.Max(s => Math.Abs(s.GetValueOrDefault(phase)));
                Assert.AreEqual(loss, losses[phase]!.GetValue<double>(), 1e-4 * scale, $"{phase} at step {step}");
                largest = Math.Max(largest, Math.Abs(loss - losses[phase]!.GetValue<double>()) / scale);
            }
            Assert.AreEqual(0, found[step]!["skipped"]!.GetValue<int>());
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"largest difference of a loss: {largest:E1} of its phase's largest"));
    }

    /// <summary>Both generators make the same samples of the same latents, but for twenty updates of rounding.</summary>
    public static void DrawTheSame(OnnxModel expected, OnnxModel found)
    {
        Assert.AreEqual(expected.Metadata["onnxdistill.method"], found.Metadata["onnxdistill.method"]);
        var (mine, other) = (Samples(expected), Samples(found));
        Assert.HasCount(mine.Length, other);
        for (var i = 0; i < mine.Length; i++)
            Assert.AreEqual(mine[i], other[i], 1e-3 * Math.Max(1, mine.Max(Math.Abs)), $"sample number {i}");
    }

    private static float[] Samples(OnnxModel model)
    {
        // Refuses what is no generator: weights that are still inputs, say.
        var generator = new Generator(model);
        const int count = 6;
        var z = new float[count * generator.LatentShape.Aggregate(1L, static (n, d) => n * d)];
        new NoiseStream(5, StreamId.Latent).FillNormal(z, 0);
        var feeds = new Dictionary<string, TensorData> { [Generator.Latent] = TensorData.Of(z, [count, .. generator.LatentShape]) };
        if (generator.Labels > 0)
            feeds[Denoiser.Label] = TensorData.Of([.. Enumerable.Range(0, count).Select(i => (long)(i % generator.Labels))], count);
        using var session = GraphSession.Create(model);
        return session.Run(feeds).Values.Single().As<float>().ToArray();
    }

    private static LoadedRecipe Images(TestFiles files, string method, JsonObject training, JsonObject? data = null)
    {
        var teacher = SongUNet.Build(new SongUNetOptions { Channels = 8, Multipliers = [1], Blocks = 1, AttentionResolutions = [], Seed = 4 }, new TeacherCard { Labels = 3 }, 1, 8, 8);
        OnnxWriter.Write(teacher.Model, files["teacher.onnx"]);
        var recipe = new JsonObject { ["method"] = method, ["training"] = training };
        if (data is null)
            recipe["teacher"] = "teacher.onnx";
        else
            (recipe["initial"], recipe["data"]) = ("teacher.onnx", data);
        return RecipeLoader.Resolve(recipe, files.Folder, "images", []);
    }
}
