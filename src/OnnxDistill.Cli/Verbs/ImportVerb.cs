using System.CommandLine;
using System.Globalization;
using OnnxDistill.Graph.Io;
using OnnxDistill.Teachers;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Makes a teacher of a raw network: wraps it to D(x; sigma), checks it, and records its card.</summary>
internal static class ImportVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "ONNX file of a diffusion or flow network." };
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "File of the teacher.", Required = true };
        var check = new Option<string>("--check") { HelpName = "FILE", Description = "Recorded inputs and outputs of the network by their names (.npz), to be met before anything is written; exit code 5 if not." };
        var tolerance = new Option<double>("--check-tolerance") { HelpName = "X", Description = "Largest difference from what was recorded, over the output's largest magnitude.", DefaultValueFactory = _ => 1e-4 };
        var convention = new ImportConvention();
        return Verb.Create("import", "Wrap a raw network to a denoiser D(x; sigma), check that it denoises, and record its convention.",
            [model, output, .. convention.Symbols, check, tolerance], (parsed, report, stop) =>
        {
            var (source, target) = (parsed.GetValue(model)!, parsed.GetValue(output)!);
            OutputFile.Require(target);
            if (parsed.GetValue(check) is { } recording)
                Compare(source, recording, parsed.GetValue(tolerance), report);
            var (teacher, decisions, found) = TeacherImporter.ImportChecked(source, convention.Read(parsed), stop);
            OnnxWriter.Write(teacher.Model, target);
            Show(teacher, target, decisions, found, report);
            return ExitCodes.Done;
        });
    }

    private static void Compare(string model, string recording, double tolerance, Report report)
    {
        if (!(tolerance >= 0))
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--check-tolerance: found {tolerance}, expected a number of at least 0."));
        var differences = RecordedCheck.Run(model, recording);
        report.Set("recorded", differences);
        foreach (var d in differences)
            report.Line(string.Create(CultureInfo.InvariantCulture, $"recorded '{d.Output}': largest difference {d.Largest:G3}, {d.Relative:G3} of its largest magnitude (allowed {tolerance})"));
        var off = differences.Where(d => !(d.Relative <= tolerance)).Select(d => string.Create(CultureInfo.InvariantCulture, $"'{d.Output}' by {d.Relative:G3}")).ToList();
        if (off.Count > 0)
        {
            throw new CheckFailedException(string.Create(CultureInfo.InvariantCulture, $"'{model}' on ONNX Runtime differs from '{recording}' in {string.Join(", ", off)} (allowed {tolerance}). ")
                + "Export it in evaluation mode and record with the same weights. Nothing was written.");
        }
    }

    private static void Show(Denoiser teacher, string target, IReadOnlyList<string> decisions, TeacherCheck? check, Report report)
    {
        var card = teacher.Card;
        report.Set("teacher", target);
        report.Set("card", card);
        report.Set("decisions", decisions);
        report.Set("check", check);
        foreach (var line in decisions)
            report.Line(line);
        report.Line(string.Create(CultureInfo.InvariantCulture, $"{target}: D(x; sigma) for samples [{string.Join(", ", teacher.DataShape)}]{(card.IsConditional ? $", {card.Labels} classes" : "")}, ")
            + string.Create(CultureInfo.InvariantCulture, $"sigma from {card.SigmaMin:G3} to {card.SigmaMax:G4}{(card.Levels is { } levels ? $" in {levels.Count} levels" : "")}"));
        report.Line(check?.ToString() ?? "check: left out; nothing says that it denoises");
        if (check?.SampleStd / card.SigmaData is < 0.67 or > 1.5)
            report.Line(string.Create(CultureInfo.InvariantCulture, $"note: the card says sigma_data = {card.SigmaData}; noise laws scale with it, so --sigma-data {check!.SampleStd:G2} may suit better"));
    }
}
