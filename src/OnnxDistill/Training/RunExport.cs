using System.Globalization;
using OnnxDistill.Export;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Students;

namespace OnnxDistill.Training;

/// <summary>The model that a run gives: a one-step generator with the student's average, or the fitted denoiser.</summary>
public static class RunExport
{
    /// <summary>The model at the engine's current state.</summary>
    public static OnnxModel Build(TrainingEngine engine)
    {
        var program = engine.Program;
        var weights = StudentWeights(engine);
        if (program.IsFit)
            return Fitted(program, weights);
        var metadata = Origin(program);
        metadata["onnxdistill.images_seen"] = engine.ImagesSeen.ToString(CultureInfo.InvariantCulture);
        return GeneratorBuilder.Build(program.Student, weights, metadata);
    }

    /// <summary>What a generator's file says of where it comes from.</summary>
    internal static Dictionary<string, string> Origin(TrainingProgram program)
    {
        var metadata = new Dictionary<string, string> { ["onnxdistill.method"] = program.Recipe.Method.Name };
        if (program.Teacher is { } teacher)
            (metadata["onnxdistill.teacher_sha256"], metadata[Generator.LicenceKey]) = (teacher.Hash(), teacher.Card.Licence);
        return metadata;
    }

    /// <summary>The model of a run folder's newest state, checked against the student as training composes it.</summary>
    /// <param name="path">The run folder.</param>
    /// <returns>The model, and the check's figures (null for a fitted denoiser).</returns>
    /// <exception cref="RunFolderException">The folder holds no run, or no state yet.</exception>
    /// <exception cref="RecipeException">Its options are damaged, or a file that they name is no longer where it was.</exception>
    /// <exception cref="CheckFailedException">The exported generator differs from the student.</exception>
    public static (OnnxModel Model, GeneratorCheck? Check) FromRun(string path)
    {
        var folder = RunFolder.Open(path);
        var state = folder.LatestStatePath();
        using var engine = new TrainingEngine(TrainingProgram.Build(ResolvedRecipe(folder)));
        using (var stream = File.OpenRead(state))
            TrainingState.Read(engine, stream, $"'{state}'");
        var model = Build(engine);
        var program = engine.Program;
        var check = program.IsFit ? null : GeneratorCheck.Run(model, program.Student, StudentWeights(engine));
        return (model, check);
    }

    // What a teacher was made of stays on its card when it is trained on.
    private static OnnxModel Fitted(TrainingProgram program, IReadOnlyDictionary<string, TensorData> weights)
    {
        var initial = program.Initial!; // a fit has one
        var model = GeneratorBuilder.BuildDenoiser(initial, weights);
        if (program.Recipe.Recipe.Initial.Length > 0 && program.Images is { } images)
            (initial.Card with { Source = $"{initial.Card.Source}, then fitted to {images.Name}" }).WriteTo(model);
        return model;
    }

    private static LoadedRecipe ResolvedRecipe(RunFolder folder)
    {
        var options = folder.OptionsPath;
        if (!File.Exists(options))
            throw new RecipeException($"The run folder '{folder.Path}' has no {Path.GetFileName(options)}, so its teacher and network are not known. Copy the whole folder.");
        var loaded = RecipeLoader.Resolve(RecipeLoader.Parse(File.ReadAllText(options), $"'{options}'"), folder.Path, "run", []);
        var recipe = loaded.Recipe;
        (string Key, string File)[] named = [("teacher", recipe.Teacher), ("initial", recipe.Initial), ("student", recipe.Student), ("data.mixture", recipe.Data.Mixture)];
        var moved = named.Where(n => n.File.Length > 0 && !File.Exists(n.File)).Select(n => $"{n.Key}: there is no file '{n.File}'.").ToList();
        return moved.Count == 0 ? loaded : throw new RecipeException(string.Join('\n', moved)
            + $"\nThe run in '{folder.Path}' was made with it; when it was moved, put its new path (absolute or relative to the run) into '{options}'.");
    }

    private static Dictionary<string, TensorData> StudentWeights(TrainingEngine engine)
    {
        var state = engine.States[Roles.Student];
        return state.Description.Layout.Views(state.Current(OptimizerGraph.Ema)).ToDictionary(v => v.Key, v => v.Value.ToData());
    }
}
