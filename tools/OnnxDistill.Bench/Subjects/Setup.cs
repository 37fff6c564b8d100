using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Teachers;

namespace OnnxDistill.Bench;

/// <summary>What both sides read: recipe, teacher, sizes. No training graph: only OnnxDistill's side builds those, or they would count as libtorch's memory.</summary>
/// <param name="Recipe">The recipe, resolved.</param>
/// <param name="Teacher">The teacher, which student and fake score start as.</param>
/// <param name="Task">Sizes and scales.</param>
internal sealed record Setup(LoadedRecipe Recipe, Denoiser Teacher, DistillationTask Task)
{
    /// <summary>Threads of each side.</summary>
    public const int Threads = 2;

    /// <summary>Reads a subject's recipe and teacher.</summary>
    public static Setup Load(ISubject subject, IEnumerable<string> settings)
    {
        var recipe = subject.Recipe([$"training.threads={Threads}", .. settings]);
        var training = recipe.Recipe.Training;
        var teacher = Denoiser.Load(recipe.Recipe.Teacher);
        return new Setup(recipe, teacher, new DistillationTask(training.Batch, teacher.DataShape, teacher.Card.SigmaData,
            training.SigmaInit * teacher.Card.SigmaData / 0.5, teacher.Card.Labels));
    }

    /// <summary>The stream that OnnxDistill draws a random input from; the cross-check feeds libtorch the same numbers.</summary>
    public NoiseStream Stream(string phase, string feed) => new(Recipe.Recipe.Training.Seed, StreamId.Named($"{phase}/{feed}"));
}
