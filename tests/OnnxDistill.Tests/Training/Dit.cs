using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>The real teacher of the shared data: a class-conditional rectified-flow DiT of MNIST. Tests skip where it is absent.</summary>
internal static class Dit
{
    public static string Raw() => TestFiles.Shared(Path.Combine("no-licence", "dit-mnist32-rectified-flow.onnx"));

    public static Denoiser Import() => TeacherImporter.Import(Raw(), new ImportOptions { Prediction = "flow", Labels = 10, NullLabel = 10 });

    /// <summary>A recipe that distils it, at a batch of two.</summary>
    public static TrainingProgram Program(TestFiles files, string method, params string[] settings)
    {
        OnnxWriter.Write(Import().Model, files["dit.onnx"]);
        return TrainingProgram.Build(RecipeLoader.Resolve(new JsonObject
        {
            ["method"] = method,
            ["teacher"] = "dit.onnx",
            ["training"] = new JsonObject { ["batch"] = 2, ["images"] = 4 },
        }, files.Folder, "dit", settings));
    }
}
