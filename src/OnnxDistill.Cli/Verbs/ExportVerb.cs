using System.CommandLine;
using System.Globalization;
using OnnxDistill.Export;
using OnnxDistill.Graph.Io;
using OnnxDistill.Recipes;
using OnnxDistill.Students;
using OnnxDistill.Training;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Writes the averaged student of a run as a one-step generator, or a generator's file in another form, checked against the training graph.</summary>
internal static class ExportVerb
{
    private const string Generator = "generator", Denoiser = "denoiser";

    public static Command Create()
    {
        var from = new Argument<string>("RUN") { Description = "Run folder; or the ONNX file of a generator, to be written in another form." };
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "File of the generator.", Required = true };
        var kind = new Option<string?>("--as") { HelpName = "KIND", Description = $"{Generator}, or {Denoiser}: the student as a teacher of further runs; default what the run makes." };
        kind.AcceptOnlyFromAmong(Generator, Denoiser);
        var precision = new Option<string>("--precision") { HelpName = "NAME", Description = "fp32; fp16, half the file; int8, weights in a quarter. What that costs is measured and shown.", DefaultValueFactory = _ => ExportPrecision.Float32.Name() };
        precision.AcceptOnlyFromAmong([.. ExportPrecisions.Names]);
        var pixels = new Option<string>("--pixels") { HelpName = "TYPE", Description = "Images as float, [N, C, H, W] in -1 to 1, or uint8, [N, H, W, C] in 0 to 255.", DefaultValueFactory = _ => "float" };
        pixels.AcceptOnlyFromAmong("float", "uint8");
        var names = new Option<string[]>("--label-names") { HelpName = "NAME", Description = "Names of the classes in order, kept in the file.", DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true };
        var reference = new ReferenceWords(isRequired: false);
        var count = new Option<int>("--count", "-n") { HelpName = "N", Description = "Samples that fp16 or int8 is compared with fp32 on, where no metric says so.", DefaultValueFactory = _ => new ExportOptions().Samples };
        var unmeasured = new Option<bool>("--unmeasured") { Description = "Write fp16 or int8 without metrics; how far samples are apart is still shown." };
        var web = new Option<string>("--web") { HelpName = "FOLDER", Description = "Also write a static web page there in which visitors draw from the generator." };
        var webRuntime = ReportVerb.RuntimeOption();
        return Verb.Create("export", "Write a run's averaged student as a one-step generator (or a generator's file in another form), checked against the training graph.",
            [from, output, kind, precision, pixels, names, .. reference.All, count, unmeasured, web, webRuntime], (parsed, report, _) =>
        {
            var (path, target) = (parsed.GetValue(from)!, parsed.GetValue(output)!);
            var options = new ExportOptions
            {
                Precision = (ExportPrecision)ExportPrecisions.Names.ToList().IndexOf(parsed.GetValue(precision)!),
                Pixels = parsed.GetValue(pixels) == "uint8" ? PixelForm.Byte : PixelForm.Float,
                LabelNames = parsed.GetValue(names)!,
                Samples = Count(parsed.GetValue(count)),
            };
            var given = Given(parsed, reference, count, unmeasured, options);
            OutputFile.Require(target);
            if (parsed.GetValue(kind) == Denoiser && parsed.GetValue(web) is not null)
                throw new UsageException("--web: a page draws from a generator, found --as denoiser. Leave one of them out.");
            var page = WebPage.Prepare(parsed.GetValue(web), parsed.GetValue(webRuntime), report);
            var source = Source(path, target, parsed.GetValue(kind), options);
            var evaluation = given ?? (parsed.GetResult(count)?.Implicit == false ? source.Evaluation is { } own ? own with { Samples = options.Samples } : null : source.Evaluation);
            if (parsed.GetValue(unmeasured))
                evaluation = null;
            else if (options.Precision == ExportPrecision.Int8 && source.Student.Data == "image" && evaluation is null)
                throw new UsageException("--precision int8: what it costs is shown as a Frechet distance, and there is nothing to measure it with. Give --reference IMAGES --features MODEL, or --unmeasured to go without.");
            var result = GeneratorExport.Run(source, options with { Evaluation = evaluation });
            OnnxWriter.Write(result.Model, target);
            Show(report, target, result);
            page?.Write(result.Model, report);
            return ExitCodes.Done;
        });
    }

    private static int Count(int count) => count >= 2 ? count : throw new UsageException($"--count: found {count}, expected at least 2: one sample has no spread.");

    // What is measured by, when the command says so; words that would do nothing are refused.
    private static EvaluationOptions? Given(ParseResult parsed, ReferenceWords reference, Option count, Option<bool> unmeasured, ExportOptions options)
    {
        var given = reference.Read(parsed, options.Samples);
        if (given is not null && parsed.GetValue(unmeasured))
            throw new UsageException("--unmeasured beside --reference: leave one of them out.");
        var useless = reference.All.Append(count).Append(unmeasured).FirstOrDefault(o => parsed.GetResult(o)?.Implicit == false);
        if (options.Precision == ExportPrecision.Float32 && useless is not null)
            throw new UsageException($"{useless.Name}: an fp32 export is the student itself and costs nothing that could be measured. Leave it out, or choose --precision fp16 or int8.");
        return given;
    }

    private static ExportSource Source(string path, string target, string? kind, ExportOptions options)
    {
        if (kind == Denoiser && (options.Precision != ExportPrecision.Float32 || options.Pixels != PixelForm.Float))
            throw new UsageException("--as denoiser: further runs differentiate it, so it stays in fp32 and unclamped. Leave --precision and --pixels out.");
        if (!File.Exists(path))
            return RunExport.FromRun(path, kind is null ? null : kind == Denoiser);
        if (kind == Denoiser)
            throw new UsageException($"--as denoiser: '{path}' is a file; a generator no longer tells what it does at other noise levels. Give the run's folder.");
        if (Path.GetFullPath(path) == Path.GetFullPath(target))
            throw new UsageException($"--output: '{target}' is what is exported from, and would be replaced by a form that cannot be turned back. Name another file.");
        return GeneratorExport.FromFile(path);
    }

    private static void Show(Report report, string target, ExportResult result)
    {
        void Line(FormattableString text) => report.Line(text.ToString(CultureInfo.InvariantCulture));
        var (model, check, loss) = (result.Model, result.Check, result.Loss);
        Line($"checked at batch {string.Join(", ", check.Batches)}: largest difference to the training graph {check.LargestDifference:G3} (values up to {check.LargestValue:G3}), root mean square {check.RelativeError:G3} of theirs; allowed: {check.Allowed}");
        if (loss is not null)
        {
            Line($"{check.Precision.Name()} against fp32 on {loss.Samples:N0} samples of equal latents: largest difference {loss.Largest:G3}, mean {loss.Mean:G3}{(loss.Psnr is { } psnr ? $", PSNR {psnr.ToString("F1", CultureInfo.InvariantCulture)} dB" : "")}");
            var metrics = loss.Reduced.Keys.Where(static n => !n.StartsWith("real.", StringComparison.Ordinal)).ToList();
            if (metrics.Count > 0)
            {
                string Number(double number) => number.ToString("G5", CultureInfo.InvariantCulture);
                report.Table([new("metric"), new("fp32", IsNumber: true), new(check.Precision.Name(), IsNumber: true), new("change", IsNumber: true)],
                    metrics.Select(n => new[] { n, Number(loss.Full[n]), Number(loss.Reduced[n]), (loss.Reduced[n] - loss.Full[n]).ToString("+0.####;-0.####;0", CultureInfo.InvariantCulture) }));
            }
        }
        report.Set("model", target);
        report.Set("bytes", new FileInfo(target).Length);
        report.Set("check", check);
        report.Set("loss", loss);
        report.Set("metadata", model.Metadata);
        Line($"{target}: {string.Join(", ", model.Graph.Inputs)} -> {string.Join(", ", model.Graph.Outputs)}, {new FileInfo(target).Length:N0} bytes");
    }
}
