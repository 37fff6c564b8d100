using System.Globalization;
using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Students;
using OnnxDistill.Teachers;

namespace OnnxDistill.Export;

/// <summary>The last steps of a model on its way to users: precision, range, the rules of the format, the check against the training graph, the metadata.</summary>
public static class GeneratorExport
{
    /// <summary>The generator of a file that a run or an export wrote, to be exported in another form.</summary>
    /// <exception cref="Graph.ModelFileException">The file is missing or damaged.</exception>
    /// <exception cref="TeacherMismatchException">It is no generator of this project's form, or its weights were rounded already.</exception>
    public static ExportSource FromFile(string path)
    {
        var what = $"'{path}'";
        OnnxModel Build()
        {
            var model = OnnxReader.Read(path);
            return GeneratorImporter.Unclamped(model, what).Model;
        }
        var kind = OnnxReader.Read(path).Metadata.GetValueOrDefault(GeneratorMetadata.Kind);
        if (kind != Generator.Kind)
        {
            throw new TeacherMismatchException($"{what} is {(kind is null ? "no generator of this project's form (its metadata say nothing of what it is)" : $"a {kind}, no generator")}. "
                + "Name a run folder, or a generator's file of a run or of an earlier export; a foreign generator becomes one as 'student' of a recipe.");
        }
        var student = new Generator(Build(), what);
        return new ExportSource(Build, student, student.AtAnyBatch().Parameters.ToDictionary(static p => p.Name, static p => p.Constant!)); // parameters have values
    }

    /// <summary>Makes the model and finds out whether it is right.</summary>
    /// <exception cref="CheckFailedException">It differs from the training graph, or breaks a rule of the format.</exception>
    /// <exception cref="TeacherMismatchException">It cannot be in the precision or form that is asked for.</exception>
    /// <exception cref="RecipeException">The evaluation lacks something, or there are not as many names as classes.</exception>
    public static ExportResult Run(ExportSource source, ExportOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        if (source.IsDenoiser && (options.Precision != ExportPrecision.Float32 || options.Pixels != PixelForm.Float))
            throw new TeacherMismatchException("A denoiser is trained on and differentiated by further runs, so it stays in fp32 and unclamped; precision and pixels are for generators.");
        if (options.LabelNames.Count > 0 && options.LabelNames.Count != source.Student.Labels)
            throw new RecipeException($"Names of classes: found {options.LabelNames.Count} ({string.Join(", ", options.LabelNames)}), expected {source.Student.Labels}, as many as there are classes.");
        using var evaluator = options is { Precision: not ExportPrecision.Float32, Evaluation: { } evaluation } ? new Evaluator(evaluation) : null;
        var model = Finished(source, options);
        var (check, loss) = (Check(model, source), (PrecisionLoss?)null);
        if (options.Precision != ExportPrecision.Float32)
        {
            // A processor computes fp16 in fp32; what counts is what devices make of it that have kernels for it.
            var measured = options.Precision == ExportPrecision.Float16 ? Finished(source, options, rounded: true) : model;
            if (measured != model && Check(measured, source) is var rounded && rounded.RelativeError > check.RelativeError)
                check = rounded;
            loss = PrecisionLoss.Measure(Finished(source, options with { Precision = ExportPrecision.Float32 }), measured, options.Samples, evaluator);
        }
        Record(model, check, loss);
        var findings = GraphChecker.FileFindings(model);
        return findings.Count == 0 ? new ExportResult(model, check, loss) : throw new CheckFailedException(
            $"The exported model breaks rules of ONNX, so runtimes may refuse it:\n  - {string.Join("\n  - ", findings)}\nNothing was written; please report this model.");
    }

    private static OnnxModel Finished(ExportSource source, ExportOptions options, bool rounded = false)
    {
        var model = source.Build();
        if (!source.IsDenoiser)
        {
            model = ExportPrecisions.Apply(model, options.Precision, rounded);
            GeneratorPixels.Add(model, options.Pixels);
        }
        if (options.LabelNames.Count > 0)
            model.Metadata[GeneratorMetadata.LabelNames] = GeneratorMetadata.Write(options.LabelNames);
        new ReadableNames().Run(model.Graph);
        return model;
    }

    // A denoiser is looked at where it was trained: as the generator that it is at the one level.
    private static GeneratorCheck Check(OnnxModel model, ExportSource source)
    {
        if (!source.IsDenoiser)
            return GeneratorCheck.Run(model, source.Student, source.Weights);
        var denoiser = new Denoiser(model, "the exported denoiser");
        var own = denoiser.AtAnyBatch().Parameters.ToDictionary(static p => p.Name, static p => p.Constant!); // parameters have values
        return GeneratorCheck.Run(GeneratorBuilder.Build(denoiser, own, source.Student.SigmaInit ?? denoiser.Card.SigmaMax, []), source.Student, source.Weights);
    }

    private static void Record(OnnxModel model, GeneratorCheck check, PrecisionLoss? loss)
    {
        // An earlier export's figures are of another file.
        foreach (var key in model.Metadata.Keys.Where(static k => k.StartsWith(GeneratorMetadata.Metric, StringComparison.Ordinal)
            || k.StartsWith(GeneratorMetadata.MetricFull, StringComparison.Ordinal) || k.StartsWith(TeacherCard.Prefix + "loss_", StringComparison.Ordinal)).ToList())
            model.Metadata.Remove(key);
        void Number(string key, double value, string format = "G4") => model.Metadata[key] = value.ToString(format, CultureInfo.InvariantCulture);
        model.Metadata[GeneratorMetadata.CheckBatches] = string.Join(',', check.Batches);
        Number(GeneratorMetadata.CheckDifference, check.LargestDifference, "G3");
        Number(GeneratorMetadata.CheckRelative, check.RelativeError, "G3");
        model.Metadata[GeneratorMetadata.CheckTolerance] = check.Allowed;
        if (loss is null)
            return;
        Number(GeneratorMetadata.LossSamples, loss.Samples, "F0");
        Number(GeneratorMetadata.LossLargest, loss.Largest);
        Number(GeneratorMetadata.LossMean, loss.Mean);
        if (loss.Psnr is { } psnr)
            Number(GeneratorMetadata.LossPsnr, psnr);
        foreach (var (name, number) in loss.Reduced.Where(static m => !m.Key.StartsWith("real.", StringComparison.Ordinal)))
        {
            Number(GeneratorMetadata.Metric + name, number, "G6");
            Number(GeneratorMetadata.MetricFull + name, loss.Full[name], "G6");
        }
    }
}
