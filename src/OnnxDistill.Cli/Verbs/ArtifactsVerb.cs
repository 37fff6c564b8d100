using System.CommandLine;
using OnnxDistill.Artifacts;
using OnnxDistill.Recipes;
using OnnxDistill.Training;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Writes a recipe's training graphs for clients that train without this tool.</summary>
internal static class ArtifactsVerb
{
    public static Command Create()
    {
        var recipe = new Argument<string>("RECIPE") { Description = "Recipe file." };
        var output = new Option<string>("--output", "-o") { HelpName = "FOLDER", Description = "New folder for the files.", Required = true };
        var set = RunVerb.SetOption();
        return Verb.Create("artifacts", "Write only the training graphs, optimizer graphs, initial state and a manifest: training on any ONNX Runtime, in any language.", [recipe, output, set],
            (parsed, report, stop) =>
        {
            var folder = parsed.GetValue(output)!;
            OutputFile.RequireFolder(folder);
            var program = TrainingProgram.Build(RecipeLoader.Load(parsed.GetValue(recipe)!, parsed.GetValue(set)));
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
}
