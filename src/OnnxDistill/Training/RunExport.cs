using System.Globalization;
using OnnxDistill.Export;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Students;

namespace OnnxDistill.Training;

/// <summary>The model that a run gives: a one-step generator with the student's average, its samples not clamped, or the fitted denoiser.</summary>
public static class RunExport
{
    /// <summary>The model at the engine's current state.</summary>
    public static OnnxModel Build(TrainingEngine engine)
    {
        var program = engine.Program;
        var weights = StudentWeights(engine);
        if (program.IsFit)
            return Fitted(program, weights);
        return GeneratorBuilder.Build(program.Student, weights, Origin(program, engine.ImagesSeen));
    }

    /// <summary>The student of a run folder's newest state, for <see cref="GeneratorExport"/>.</summary>
    /// <param name="path">The run folder.</param>
    /// <param name="asDenoiser">Whether it is written as a denoiser, a teacher of further runs; null for what the run makes.</param>
    /// <exception cref="RunFolderException">The folder holds no run, or no state yet; or a generator is asked of a run that fits a denoiser.</exception>
    /// <exception cref="RecipeException">Its options are damaged, or a file that they name is no longer where it was.</exception>
    /// <exception cref="TeacherMismatchException">A denoiser is asked for and the student is none.</exception>
    public static ExportSource FromRun(string path, bool? asDenoiser = null)
    {
        var folder = RunFolder.Open(path);
        var state = folder.LatestStatePath();
        using var engine = new TrainingEngine(TrainingProgram.Build(ResolvedRecipe(folder)));
        using (var stream = File.OpenRead(state))
            TrainingState.Read(engine, stream, $"'{state}'");
        var program = engine.Program;
        if (program.IsFit && asDenoiser == false)
            throw new RunFolderException($"'{path}' is a run of 'train', which makes a denoiser, no generator. Distil it: 'onnxdistill distill' with it as the teacher.");
        if (asDenoiser == true && program.Student is not DenoiserStudent)
        {
            throw new TeacherMismatchException($"The student of '{path}', {program.Student.What}, takes a latent and no noise level, so it is no denoiser and cannot be a teacher. "
                + "Export it as a generator; a further run takes that as its 'student'.");
        }
        var (seen, weights, evaluation) = (engine.ImagesSeen, StudentWeights(engine), program.Recipe.Recipe.Evaluation);
        var isDenoiser = asDenoiser ?? program.IsFit;
        return new ExportSource(() => !isDenoiser ? GeneratorBuilder.Build(program.Student, weights, Origin(program, seen))
            : program.IsFit ? Fitted(program, weights) : Chained(program, weights, seen), program.Student, weights)
        {
            IsDenoiser = isDenoiser,
            Evaluation = evaluation.Samples > 0 && (evaluation.Images.Length > 0 || evaluation.Mixture.Length > 0) ? evaluation : null,
        };
    }

    /// <summary>What a generator's file says of where it comes from.</summary>
    /// <param name="program">The run's program.</param>
    /// <param name="imagesSeen">Samples that the student's step has seen; null where the file holds no weights yet.</param>
    internal static Dictionary<string, string> Origin(TrainingProgram program, long? imagesSeen = null)
    {
        var origin = new Dictionary<string, string> { [GeneratorMetadata.Method] = program.Recipe.Method.Name };
        if (imagesSeen is { } seen)
            origin[GeneratorMetadata.ImagesSeen] = seen.ToString(CultureInfo.InvariantCulture);
        if (program.Teacher is { } teacher)
            (origin[GeneratorMetadata.TeacherHash], origin[GeneratorMetadata.Licence]) = (teacher.Hash(), teacher.Card.Licence);
        if (LabelNames(program) is { } names)
            origin[GeneratorMetadata.LabelNames] = names;
        return origin;
    }

    // The images' own names, or those that the teacher's file brought along.
    private static string? LabelNames(TrainingProgram program) => program.Images is { LabelNames.Count: > 0 } images ? GeneratorMetadata.Write(images.LabelNames)
        : (program.Teacher ?? program.Initial)?.Model.Metadata.GetValueOrDefault(GeneratorMetadata.LabelNames);

    // What a teacher was made of stays on its card when it is trained on.
    private static OnnxModel Fitted(TrainingProgram program, IReadOnlyDictionary<string, TensorData> weights)
    {
        var initial = program.Initial!; // a fit has one
        var model = GeneratorBuilder.BuildDenoiser(initial, weights);
        if (program.Recipe.Recipe.Initial.Length > 0 && program.Images is { } images)
            (initial.Card with { Source = $"{initial.Card.Source}, then fitted to {images.Name}" }).WriteTo(model);
        if (LabelNames(program) is { } names)
            model.Metadata[GeneratorMetadata.LabelNames] = names;
        return model;
    }

    // The student as a teacher, or the start, of a further run. It was trained at one noise level and says so; what it is at others is what training left of its start.
    private static OnnxModel Chained(TrainingProgram program, IReadOnlyDictionary<string, TensorData> weights, long imagesSeen)
    {
        var initial = program.Initial!; // the student is a denoiser, which is this one
        var model = GeneratorBuilder.BuildDenoiser(initial, weights);
        foreach (var (key, value) in Origin(program, imagesSeen))
            model.Metadata[key] = value;
        var sigma = program.Task.SigmaInit.ToString("R", CultureInfo.InvariantCulture);
        model.Metadata[GeneratorMetadata.SigmaInit] = sigma;
        var (licence, teacher) = (initial.Card.Licence, program.Teacher?.Card);
        (initial.Card with
        {
            Source = $"one-step student at noise level {sigma} by {program.Recipe.Method.Name}, {imagesSeen.ToString(CultureInfo.InvariantCulture)} samples"
                + (teacher is null ? "" : $", of a teacher: {teacher.Source}"),
            Licence = teacher is null || teacher.Licence == licence ? licence : $"{licence}; its teacher's: {teacher.Licence}",
        }).WriteTo(model);
        model.Description = "One-step student distilled by OnnxDistill, as a denoiser";
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

    private static Dictionary<string, TensorData> StudentWeights(TrainingEngine engine) => Weights(engine, Roles.Student, OptimizerGraph.Ema);

    /// <summary>Copies of a network's weights as one of its vectors has them, by name.</summary>
    internal static Dictionary<string, TensorData> Weights(TrainingEngine engine, string role, string vector)
    {
        var state = engine.States[role];
        return state.Description.Layout.Views(state.Current(vector)).ToDictionary(v => v.Key, v => v.Value.ToData());
    }
}
