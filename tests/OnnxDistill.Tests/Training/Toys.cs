using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Methods;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Recipes that train in milliseconds: two Gaussians in the plane, an MLP of one small layer.</summary>
internal static class Toys
{
    /// <summary>What the teachers know.</summary>
    public static GaussianMixture TwoModes { get; } = new([1, 1], [[-1, 0.5], [1, -0.5]], [0.3, 0.3]);

    /// <summary>A recipe whose files (mixture, and the exact teacher where the method distils one) lie in the folder.</summary>
    /// <param name="files">The folder.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="settings">Assignments over the toy's own settings, <c>training.batch=64</c>.</param>
    public static LoadedRecipe Recipe(TestFiles files, string method, params string[] settings)
    {
        GaussianMixtureCsv.Write(files["mixture.csv"], TwoModes);
        var toy = MethodCases.All.First(c => c.Name == method);
        var (needsTeacher, needsSamples) = (toy.Create().NeedsTeacher, toy.Create().NeedsSamples);
        if (needsTeacher)
            OnnxWriter.Write(MixtureTeacher.Build(TwoModes).Model, files["teacher.onnx"]);
        var json = new JsonObject
        {
            ["method"] = method,
            ["options"] = toy.Options.DeepClone(),
            ["data"] = needsSamples ? new JsonObject { ["mixture"] = "mixture.csv" } : [],
            ["teacher"] = needsTeacher ? "teacher.onnx" : "",
            ["network"] = new JsonObject { ["kind"] = "mlp", ["hidden"] = new JsonArray(8), ["seed"] = 3 },
            ["training"] = new JsonObject
            {
                ["batch"] = 8,
                ["images"] = 64,
                ["logImages"] = 16,
                ["threads"] = 1,
                ["optimizer"] = new JsonObject { ["learningRate"] = 1e-2 },
                ["ema"] = new JsonObject { ["halfLifeImages"] = 32, ["rampUp"] = 0.25 },
            },
            ["evaluation"] = new JsonObject { ["samples"] = 0, ["pictureSamples"] = 16 },
        };
        return RecipeLoader.Resolve(json, files.Folder, "toy", settings);
    }

    /// <summary>The recipe's graphs.</summary>
    public static TrainingProgram Program(TestFiles files, string method, params string[] settings) =>
        TrainingProgram.Build(Recipe(files, method, settings));

    /// <summary>A teacher file that knows only points whose coordinates lie within a radius, and answers NaN beyond: x / 2 + tiny · sqrt(radius² - x²).</summary>
    public static void WriteEdgeTeacher(string path, double radius)
    {
        var b = new GraphBuilder("edge");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(Dim.Named("N")));
        b.Output(Denoiser.Denoised, b.Add(b.Mul(x, 0.5), b.Mul(b.Sqrt(b.Sub(b.Scalar(radius * radius), b.Square(x))), 1e-20)));
        var model = new OnnxModel(b.Graph);
        MixtureTeacher.Card(TwoModes, "test").WriteTo(model);
        OnnxWriter.Write(model, path);
    }

    /// <summary>The MLP that recipes of this folder start from, with another seed.</summary>
    public static Denoiser Mlp(long seed, params int[] hidden) => OnnxDistill.Networks.Mlp.Build(
        new MlpOptions { Hidden = hidden, Seed = seed }, MixtureTeacher.Card(TwoModes, "test"), TwoModes.Dimension);
}
