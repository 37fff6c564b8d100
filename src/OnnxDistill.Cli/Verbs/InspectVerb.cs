using System.CommandLine;
using System.Globalization;
using OnnxDistill.Graph.Importing;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Normalization;
using OnnxDistill.Runtime.Placement;
using OnnxDistill.Teachers;
using OnnxDistill.Verification;

namespace OnnxDistill.Cli.Verbs;

/// <summary>What a model is: inputs, outputs, parameters, operators, and whether it can be differentiated.</summary>
internal static class InspectVerb
{
    // A thousand noise levels do not belong on a screen.
    private const int LongText = 200;

    private const int MostTaps = 6;

    public static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "ONNX file." };
        var gradients = new Option<bool>("--gradients") { Description = "Differentiate the model at batch 1 and show how many nodes and bytes that takes." };
        return Verb.Create("inspect", "Show inputs, outputs, parameters, operators, gradient coverage, nodes without a CUDA kernel and a guess of a teacher's convention.", [model, gradients],
            (parsed, report, _) =>
        {
            var file = OnnxReader.Read(parsed.GetValue(model)!);
            var graph = file.Graph;
            var coverage = RawCoverage.Of(file);
            var parameters = graph.Initializers.Where(i => i.Type.IsFloating()).ToList();
            var count = parameters.Sum(p => p.Constant!.ElementCount);
            var filled = FilledWeights.Find(graph);
            var filledCount = filled.Sum(static w => w.Dims.Aggregate(1L, static (a, b) => a * b));
            var card = TeacherCard.Read(file);
            var guess = card is null ? ConventionGuess.Of(graph) : null;
            var (sample, time, label) = (guess?.Roles.Sample, guess?.Roles.Time, guess?.Roles.Label);

            report.Set("opset", file.Opset);
            report.Set("producer", file.Producer);
            report.Set("inputs", graph.Inputs.Select(i => i.ToString()));
            report.Set("outputs", graph.Outputs.Select(o => o.ToString()));
            report.Set("parameters", count);
            report.Set("parametersGivenAsShapes", filledCount);
            report.Set("operators", coverage.Operators);
            report.Set("missingGradients", coverage.Missing.Select(m => new { node = m.Node.ToString(), reason = m.Reason }));
            report.Set("metadata", file.Metadata);
            report.Set("guess", guess is null ? null : new { sample = sample?.Name, time = time?.Name, label = label?.Name, output = guess.Roles.Output?.Name, arguments = guess.Arguments });

            report.Line($"opset {file.Opset}, IR {file.IrVersion}, made by {file.Producer}");
            foreach (var input in graph.Inputs)
                report.Line($"input   {input}");
            foreach (var output in graph.Outputs)
                report.Line($"output  {output}");
            report.Line(string.Create(CultureInfo.InvariantCulture, $"{count:N0} floating-point numbers in {parameters.Count} initializers"));
            if (filled.Count > 0)
                report.Line(string.Create(CultureInfo.InvariantCulture, $"{filledCount:N0} more in {filled.Count} weights of which the file gives only the shape"));
            report.Line($"operators  {string.Join("  ", coverage.Operators.Select(o => $"{o.Key} {o.Value}"))}");
            report.Line(coverage.IsComplete ? "gradients  every operator has a rule" : coverage.Describe());
            var placement = PlacementReport.OfCuda(file);
            report.Set("withoutCudaKernel", placement.Missing.Select(m => new { node = m.Node.ToString(), reason = m.Reason }));
            report.Line(placement.IsComplete ? $"CUDA       every node has a kernel (table of ONNX Runtime {PlacementReport.Source})"
                : $"CUDA       {placement.Missing.Count} of {placement.Nodes} nodes have no kernel (table of ONNX Runtime {PlacementReport.Source}) and run on the processor:\n"
                    + placement.Describe());
            Taps(file, card, report);
            if (parsed.GetValue(gradients))
            {
                var footprint = GradientCost.Of(file, batch: 1);
                report.Set("footprint", footprint);
                report.Line($"at batch 1 {footprint}");
            }
            foreach (var (key, value) in file.Metadata)
                report.Line($"metadata   {key} = {(value.Length > LongText ? $"{value[..LongText]} ... ({value.Length} characters)" : value)}");
            if (guess is not null && sample is not null && time is not null)
            {
                report.Line($"guess      sample '{sample.Name}', time '{time.Name}'{(label is null ? "" : $", label '{label.Name}'")}: onnxdistill import MODEL -o TEACHER {guess.Arguments}");
                foreach (var reason in guess.Reasons)
                    report.Line($"           {reason}");
            }
            return ExitCodes.Done;
        });
    }

    // Where a discriminator may stand on a denoiser.
    private static void Taps(OnnxModel file, TeacherCard? card, Report report)
    {
        if (card is null || !file.Graph.Outputs.Exists(o => o.Name == Denoiser.Denoised))
            return;
        var (candidates, automatic) = new Denoiser(file).TapCandidates();
        report.Set("taps", candidates.Select(c => new { tensor = c.Tensor, shape = c.Shape.Sizes(), automatic = c.Tensor == automatic?.Tensor }));
        if (automatic is null)
            return;
        report.Line($"taps       {automatic.Tensor} {automatic.Shape}: where a discriminator stands unless a recipe names another tensor");
        var others = candidates.Where(c => c.Tensor != automatic.Tensor).ToList();
        report.Line($"           {others.Count} more: {string.Join(", ", others.Take(MostTaps).Select(c => c.Tensor))}{(others.Count > MostTaps ? ", ... (all with --json)" : "")}");
    }
}
