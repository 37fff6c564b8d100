using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Export;

/// <summary>Runs on images of 8x8 that take a moment: a tiny U-Net distils another one.</summary>
internal static class ImageRuns
{
    /// <summary>A class-conditional teacher with fresh weights, its card of that licence.</summary>
    public static string WriteTeacher(TestFiles files, string name = "teacher.onnx")
    {
        var card = new TeacherCard { Labels = 2, Licence = "CC0", Source = "made up", SigmaMax = 10 };
        var network = JsonNode.Parse("""{ "kind": "song-unet", "channels": 8, "multipliers": [1, 2], "blocks": 1, "attentionResolutions": [], "seed": 5 }""")!.AsObject();
        OnnxWriter.Write(Shaken(NetworkCatalog.Build(network, card, [1, 8, 8])).Model, files[name]);
        return files[name];
    }

    /// <summary>A run's folder after some steps of Diff-Instruct.</summary>
    public static string Distil(TestFiles files, string run = "run", string teacher = "teacher.onnx", params string[] settings)
    {
        var json = new JsonObject
        {
            ["method"] = "diff-instruct",
            ["teacher"] = teacher,
            ["training"] = new JsonObject
            {
                ["batch"] = 4,
                ["images"] = 16,
                ["threads"] = 1,
                ["optimizer"] = new JsonObject { ["learningRate"] = 1e-3 },
                ["ema"] = new JsonObject { ["halfLifeImages"] = 8, ["rampUp"] = 0.25 },
            },
            ["evaluation"] = new JsonObject { ["samples"] = 0, ["pictureSamples"] = 4 },
        };
        Trainer.Run(TrainingProgram.Build(RecipeLoader.Resolve(json, files.Folder, "images", settings)), files[run], false, new SilentObserver(), CancellationToken.None);
        return files[run];
    }

    // Published initial laws let a network's last layers begin at zero; a test wants samples that differ, and some beyond [-1, 1].
    private static Denoiser Shaken(Denoiser denoiser)
    {
        var random = new TestRandom(11);
        foreach (var weight in denoiser.Model.Graph.Initializers.Where(static i => i.Constant is { Type: ElementType.Float32, Dims.Length: > 1 }))
        {
            var values = weight.Constant!.As<float>().ToArray(); // chosen for it
            var noise = random.FloatNormals(values.Length);
            var spread = 1 / MathF.Sqrt(values.Length / weight.Constant.Dims[0]);
            weight.Constant = TensorData.Of([.. values.Zip(noise, (v, n) => v + (n * spread))], weight.Constant.Dims);
        }
        return denoiser;
    }
}
