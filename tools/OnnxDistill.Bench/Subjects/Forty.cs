using OnnxDistill.Recipes;

namespace OnnxDistill.Bench;

/// <summary>The forty modes with the learned teacher, by the committed recipe: all matrix products.</summary>
internal sealed class Forty : ISubject
{
    public string Name => "forty";

    public string Description => "Forty-mode mixture, MLP 4-400-400-400-400-2 (484,002 weights), learned teacher";

    public string? Missing => null;

    public string[] Prepare(string folder) => ["teacher=learned.onnx"];

    public LoadedRecipe Recipe(IEnumerable<string> settings) =>
        RecipeLoader.Load(Path.Combine(Checkout.Root(), "models", "forty", "diff-instruct.json"), settings);

    public TorchDenoiser Torch(TorchParameters parameters, Setup setup) =>
        new(new TorchMlp(parameters), parameters, sigma => TorchCoefficients.Edm(sigma, setup.Task.SigmaData));
}
