using System.CommandLine;
using System.Globalization;
using OnnxDistill.Graph.Io;
using OnnxDistill.Training;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Writes the averaged student of a run as a one-step generator, checked against the training graph.</summary>
internal static class ExportVerb
{
    public static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "Run folder." };
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "File of the generator.", Required = true };
        var web = new Option<string>("--web") { HelpName = "FOLDER", Description = "Also write a static web page there in which visitors draw from the generator." };
        var webRuntime = ReportVerb.RuntimeOption();
        return Verb.Create("export", "Write a run's averaged student as a one-step generator, checked against the training graph.", [run, output, web, webRuntime],
            (parsed, report, _) =>
        {
            var target = parsed.GetValue(output)!;
            OutputFile.Require(target);
            var page = WebPage.Prepare(parsed.GetValue(web), parsed.GetValue(webRuntime), report);
            var (model, check) = RunExport.FromRun(parsed.GetValue(run)!);
            if (check is not null)
            {
                model.Metadata["onnxdistill.check_difference"] = check.LargestDifference.ToString("G3", CultureInfo.InvariantCulture);
                report.Line(string.Create(CultureInfo.InvariantCulture,
                    $"checked at batch {string.Join(", ", check.Batches)}: largest difference to the training graph {check.LargestDifference:G3} (values up to {check.LargestValue:G3})"));
            }
            OnnxWriter.Write(model, target);
            report.Set("model", target);
            report.Set("check", check);
            report.Set("metadata", model.Metadata);
            report.Line($"{target}: {string.Join(", ", model.Graph.Inputs)} -> {string.Join(", ", model.Graph.Outputs)}");
            page?.Write(model, report);
            return ExitCodes.Done;
        });
    }
}
