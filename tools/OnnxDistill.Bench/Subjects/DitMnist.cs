using OnnxDistill.Graph.Io;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;

namespace OnnxDistill.Bench;

/// <summary>The class-conditional rectified-flow transformer of MNIST at 32x32, by the committed recipe. Its file states no licence, so it is no part of the
/// repository.</summary>
internal sealed class DitMnist : ISubject
{
    private static string File => Path.GetFullPath(Path.Combine(Checkout.Root(), "..", "shared", "data", "no-licence", "dit-mnist32-rectified-flow.onnx"));

    public string Name => "dit-mnist";

    public string Description => "MNIST at 32x32, diffusion transformer with ten classes (3 blocks of width 64, 256 tokens, two 5x5 convolutions; 354,148 weights)";

    public string? Missing => Path.Exists(File) ? null : $"its teacher '{Path.GetFileName(File)}' is not in ../shared/data/no-licence beside the checkout";

    public string[] Prepare(string folder)
    {
        var teacher = Path.Combine(folder, "dit-mnist32.onnx");
        OnnxWriter.Write(TeacherImporter.Import(File, new ImportOptions { Prediction = "flow", Labels = 10, NullLabel = 10 }).Model, teacher);
        return [$"teacher={teacher}"];
    }

    public LoadedRecipe Recipe(IEnumerable<string> settings) =>
        RecipeLoader.Load(Path.Combine(Checkout.Root(), "models", "dit-mnist32", "sid.json"), settings);

    public TorchDenoiser Torch(TorchParameters parameters, Setup setup) => new(new TorchDit(parameters), parameters, TorchCoefficients.Flow);
}
