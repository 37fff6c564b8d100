using System.CommandLine;
using OnnxDistill.Artifacts;
using OnnxDistill.Artifacts.OrtTraining;
using OnnxDistill.Recipes;
using OnnxDistill.Training;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Writes a recipe's training graphs for clients that train without this tool.</summary>
internal static class ArtifactsVerb
{
    private const string Graphs = "graphs";

    public static Command Create()
    {
        var recipe = new Argument<string>("RECIPE") { Description = "Recipe file." };
        var output = new Option<string>("--output", "-o") { HelpName = "FOLDER", Description = "New folder for the files.", Required = true };
        var format = new Option<string>("--format")
        {
            HelpName = "NAME",
            Description = $"'{Graphs}': training graphs for any ONNX Runtime, with any method. '{OrtTrainingWriter.FormatName}': the layout of ONNX Runtime's own training sessions (builds up to 1.19.2), "
                + "for recipes that fit a denoiser.",
            DefaultValueFactory = _ => Graphs,
        };
        format.AcceptOnlyFromAmong(Graphs, OrtTrainingWriter.FormatName);
        var set = RunVerb.SetOption();
        return Verb.Create("artifacts", "Write only the training graphs, optimizer graphs, initial state and a manifest: training on any ONNX Runtime, in any language.", [recipe, output, format, set],
            (parsed, report, stop) =>
        {
            var folder = parsed.GetValue(output)!;
            OutputFile.RequireFolder(folder);
            var loaded = RecipeLoader.Load(parsed.GetValue(recipe)!, parsed.GetValue(set));
            if (parsed.GetValue(format) == OrtTrainingWriter.FormatName)
                return WriteOrtTraining(loaded, folder, report);
            var program = TrainingProgram.Build(loaded);
            Manifest manifest;
            try
            {
                manifest = ArtifactWriter.Write(program, folder, new RunLines(report), stop);
            }
            catch (OperationCanceledException)
            {
                report.Line("\nStopped; nothing was written.");
                return ExitCodes.Stopped;
            }
            report.Set("folder", folder);
            report.Set("files", Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            foreach (var phase in manifest.Phases)
                report.Line($"{phase.File}: {phase.Inputs.Count} inputs, {phase.Outputs.Count} outputs, trains {string.Join(", ", phase.Trains)}");
            foreach (var network in manifest.Networks)
                report.Line($"{network.OptimizerFile}: flat vectors of {network.Length} numbers; initial {string.Join(", ", network.Initial.Values)}");
            if (manifest.Generator is { } generator)
                report.Line($"{generator.File}: the student's one step with its weights as inputs");
            if (manifest.Pairs is { } pairs)
                report.Line($"{pairs.File}: {pairs.Count} pairs of the teacher");
            report.Line($"{Path.Combine(folder, ArtifactWriter.ManifestFile)}: every input, output, shape and role");
            return ExitCodes.Done;
        });
    }

    private static int WriteOrtTraining(LoadedRecipe recipe, string folder, Report report)
    {
        OrtTrainingWriter.Require(recipe);
        var manifest = OrtTrainingWriter.Write(TrainingProgram.Build(recipe), folder);
        report.Set("folder", folder);
        report.Set("files", Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        report.Line($"{manifest.TrainingModel}: fed {string.Join(", ", manifest.Inputs.Select(i => $"{i.Name} [{string.Join(", ", i.Shape)}]"))}; trains {manifest.Parameters.Count} parameters");
        report.Line($"{manifest.EvalModel}: the same loss of the network in inference mode");
        report.Line($"{manifest.OptimizerModel}, {manifest.Checkpoint}: AdamW and the initial state");
        report.Line($"{Path.Combine(folder, ArtifactWriter.ManifestFile)}: what to feed, and what is left to the client (schedules, EMA)");
        return ExitCodes.Done;
    }
}
