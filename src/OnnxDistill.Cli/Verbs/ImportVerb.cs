using System.CommandLine;
using OnnxDistill.Graph.Io;
using OnnxDistill.Teachers;
using OnnxDistill.Teachers.Conventions;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Makes a teacher of a raw network: wraps it to D(x; sigma) and records its card.</summary>
internal static class ImportVerb
{
    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "ONNX file of a diffusion or flow network." };
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "File of the teacher.", Required = true };
        var prediction = new Option<string>("--prediction")
        {
            HelpName = "NAME",
            Description = $"What the network predicts: {string.Join("; ", TeacherConventions.All.Select(c => $"{c.Name} = {c.Summary}"))}.",
            Required = true,
        };
        prediction.AcceptOnlyFromAmong([.. TeacherConventions.All.Select(c => c.Name)]);
        var labels = new Option<int>("--labels") { HelpName = "N", Description = "Number of classes, without a null class.", DefaultValueFactory = _ => 0 };
        var nullLabel = new Option<int>("--null-label") { HelpName = "N", Description = "The label that means no class; -1 for none.", DefaultValueFactory = _ => -1 };
        var sigmaData = new Option<double>("--sigma-data") { HelpName = "X", Description = "Standard deviation of the data, in its own units.", DefaultValueFactory = _ => 0.5 };
        var sample = new Option<string>("--sample") { HelpName = "NAME", Description = "Name of the noisy-sample input; guessed when left out." };
        var time = new Option<string>("--time") { HelpName = "NAME", Description = "Name of the time input; guessed when left out." };
        var label = new Option<string>("--label") { HelpName = "NAME", Description = "Name of the label input; guessed when left out." };
        var licence = new Option<string>("--licence") { HelpName = "TEXT", Description = "Licence, as the source states it.", DefaultValueFactory = _ => "not stated" };
        return Verb.Create("import", "Wrap a raw network to a denoiser D(x; sigma), check that it denoises, and record its convention.",
            [model, output, prediction, labels, nullLabel, sigmaData, sample, time, label, licence], (parsed, report, _) =>
        {
            var (source, target) = (parsed.GetValue(model)!, parsed.GetValue(output)!);
            OutputFile.Require(target);
            var teacher = TeacherImporter.Import(source, new ImportOptions
            {
                Prediction = parsed.GetValue(prediction)!,
                Labels = parsed.GetValue(labels),
                NullLabel = parsed.GetValue(nullLabel),
                SigmaData = parsed.GetValue(sigmaData),
                Sample = parsed.GetValue(sample) ?? "",
                Time = parsed.GetValue(time) ?? "",
                Label = parsed.GetValue(label) ?? "",
                Licence = parsed.GetValue(licence)!,
            });
            var check = TeacherCheck.Run(teacher, source, parsed.GetValue(prediction)!);
            OnnxWriter.Write(teacher.Model, target);
            report.Set("teacher", target);
            report.Set("card", teacher.Card);
            report.Set("check", check);
            report.Line($"{target}: D(x; sigma) for samples [{string.Join(", ", teacher.DataShape)}]{(teacher.Card.IsConditional ? $", {teacher.Card.Labels} classes" : "")}");
            report.Line(check.ToString());
            return ExitCodes.Done;
        });
    }
}
