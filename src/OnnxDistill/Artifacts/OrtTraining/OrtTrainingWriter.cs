using System.Text;
using System.Text.Json;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Training;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>
/// Writes the files that ONNX Runtime's own training sessions (up to 1.19.2; Android, iOS, browsers, C#, Python) train with, for denoisers that are fitted or fine-tuned
/// on a device: one loss and one optimizer. The backward pass is this project's, in standard operators.
/// </summary>
public static class OrtTrainingWriter
{
    /// <summary>Name of the layout.</summary>
    public const string FormatName = "ort-training";

    internal const string TrainingFile = "training_model.onnx", EvaluationFile = "eval_model.onnx", OptimizerFile = "optimizer_model.onnx", CheckpointFile = "checkpoint";

    /// <summary>Refuses recipes that the layout has no place for.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <exception cref="RecipeException">It distils, or asks for something that the session cannot do; all of it is named.</exception>
    public static void Require(LoadedRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var (method, training) = (recipe.Method, recipe.Recipe.Training);
        if (method.Name != DenoisingScoreMatching.MethodName)
        {
            throw new RecipeException($"method: found '{method.Name}', expected '{DenoisingScoreMatching.MethodName}'. The layout {FormatName} has one loss and one optimizer, and a distillation trains "
                + "several networks in turn. Leave --format out: those artifacts train with any method, on any ONNX Runtime.");
        }
        var optimizer = training.OptimizerOf(Roles.Student);
        var problems = new List<string>();
        if (training.Precision != Precision.Float32)
            problems.Add("training.precision: found fp16, whose loss has to be scaled; a session of ONNX Runtime scales none. Set it to fp32.");
        if (optimizer.ClipValue > 0)
            problems.Add(FormattableString.Invariant($"training.optimizer.clipValue: found {optimizer.ClipValue}; ONNX Runtime's optimizer clips by norm only. Set it to 0, and clipNorm if need be."));
        if (optimizer.NonFinite != NonFiniteGradients.Skip)
            problems.Add("training.optimizer.nonFinite: found zero; ONNX Runtime's optimizer replaces nothing. Set it to skip, and let the client look at the loss.");
        if (problems.Count > 0)
            throw new RecipeException(string.Join('\n', problems));
    }

    /// <summary>Writes everything; the folder must be new or empty.</summary>
    /// <param name="program">The program.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="RunFolderException">The folder holds files already.</exception>
    /// <exception cref="RecipeException">The layout has no place for what the recipe asks for.</exception>
    public static OrtTrainingManifest Write(TrainingProgram program, string folder)
    {
        ArgumentNullException.ThrowIfNull(program);
        Require(program.Recipe);
        ArtifactWriter.RequireEmpty(folder);
        var models = new OrtModels(program);
        var optimizer = program.Networks.Single().Optimizer;
        var training = models.Training();
        var (evaluation, evaluationFeeds) = models.Evaluation();
        var checkpoint = new OrtCheckpoint
        {
            Trainable = [.. models.Trainable.Select(p => new OrtParameter(p.Name, p.Constant))],
            Frozen = [.. models.Frozen.Select(p => new OrtParameter(p.Name, p.Constant))],
        };

        Directory.CreateDirectory(folder);
        OnnxWriter.Write(training, Path.Combine(folder, TrainingFile));
        OnnxWriter.Write(evaluation, Path.Combine(folder, EvaluationFile));
        OnnxWriter.Write(OrtOptimizer.Build(optimizer), Path.Combine(folder, OptimizerFile));
        checkpoint.Write(Path.Combine(folder, CheckpointFile));
        var manifest = new OrtTrainingManifest
        {
            Method = program.Recipe.Method.Name,
            Batch = program.Task.Batch,
            Images = program.Recipe.Recipe.Training.Images,
            Inputs = Inputs(training, models.Feeds),
            EvalInputs = Inputs(evaluation, evaluationFeeds),
            Loss = ArtifactWriter.Describe(training.Graph.Outputs[0], "loss"),
            Parameters = Places(models.Trainable),
            Frozen = [.. models.Frozen.Select(p => p.Name)],
            Optimizer = optimizer,
        };
        // The manifest comes last: a folder that has one is whole.
        AtomicFile.Write(Path.Combine(folder, ArtifactWriter.ManifestFile), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(manifest, ArtifactWriter.Json) + "\n"));
        return manifest;
    }

    private static ManifestTensor[] Inputs(OnnxModel model, IReadOnlyList<Feed> feeds) => [.. feeds.Select(f => ArtifactWriter.Fed(model.Graph.Input(f.Name), f))];

    private static List<ManifestParameter> Places(IReadOnlyList<Value> parameters)
    {
        var places = new List<ManifestParameter>();
        var offset = 0L;
        foreach (var parameter in parameters)
        {
            places.Add(new ManifestParameter(parameter.Name, parameter.Shape.Sizes(), offset));
            offset += parameter.Shape.ElementCount;
        }
        return places;
    }
}
