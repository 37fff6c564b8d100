using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Training;

namespace OnnxDistill.Bench;

/// <summary>What both sides do: one iteration of Diff-Instruct on the forty modes, as the committed recipe has it, with the learned teacher.</summary>
internal static class Workload
{
    /// <summary>Threads of each side.</summary>
    public const int Threads = 2;

    /// <summary>Multiplications and additions of an iteration's matrix products: student and fake score forward in the first phase, student,
    /// teacher and fake score in the second, and a backward pass in each.</summary>
    public static double FlopsPerIteration(TrainingProgram program)
    {
        var weights = program.Networks[0].Network.Parameters.Where(p => p.Shape.Rank == 2).ToList();
        double forward = 2.0 * program.Task.Batch * weights.Sum(w => w.Constant!.ElementCount);
        // The first layer's input needs no gradient.
        double backward = (2 * forward) - (2.0 * program.Task.Batch * weights[0].Constant!.ElementCount);
        const int forwards = 5, backwards = 2;
        return (forwards * forward) + (backwards * backward);
    }

    /// <summary>The program, built from the repository's own recipe.</summary>
    public static TrainingProgram Load(params string[] settings) => TrainingProgram.Build(RecipeLoader.Load(
        Path.Combine(Root(), "models", "forty", "diff-instruct.json"), ["teacher=learned.onnx", $"training.threads={Threads}", .. settings]));

    /// <summary>The stream that OnnxDistill draws a random input from; the cross-check feeds libtorch the same numbers.</summary>
    public static NoiseStream Stream(TrainingProgram program, string phase, string feed) =>
        new(program.Recipe.Recipe.Training.Seed, StreamId.Named($"{phase}/{feed}"));

    /// <summary>The checkout that this program was built in.</summary>
    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OnnxDistill.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("No OnnxDistill.sln above the program: run the benchmark from its build folder inside the checkout.");
    }
}
