using System.CommandLine;
using System.Globalization;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Verification;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Are the gradients that training would use those of the model? Central differences on ONNX Runtime tell.</summary>
internal static class GradCheckVerb
{
    public static Command Create()
    {
        var standard = new GradientCheckOptions();
        var model = new Argument<string>("MODEL") { Description = "ONNX file, opset 7 to 25." };
        var feeds = new Option<string>("--feeds") { HelpName = "FILE", Description = "Arrays by input name (.npz; .npy for a model with one input); inputs that it lacks are random." };
        var batch = new Option<long?>("--batch") { HelpName = "N", Description = "Samples, where the file leaves the batch open; default 2." };
        var directions = new Option<int>("--directions") { HelpName = "N", Description = "Random directions for each value.", DefaultValueFactory = _ => standard.Directions };
        var seed = new Option<long>("--seed") { HelpName = "S", Description = "Seed of random inputs and directions.", DefaultValueFactory = _ => standard.Seed };
        var tolerance = new Option<double>("--tolerance") { HelpName = "X", Description = "Largest relative error.", DefaultValueFactory = _ => standard.Tolerance };
        var random = new Option<bool>("--random-weights")
        {
            Description = "Random numbers for weights of which the file gives only the shape (ConstantOfShape), and check them too. With ReLUs and max pools, "
                + "whose kinks blur the differences, the usual tolerance tells a wrong gradient still, but some weights are 'too weak to tell'.",
        };
        var most = new Option<long>("--most-elements") { HelpName = "N", Description = "Weights of more elements stay fixed; default: none do.", DefaultValueFactory = _ => standard.MostElements };
        return Verb.Create("gradcheck", "Compare the generated gradients of a model with central differences; exit code 5 when one is off.",
            [model, feeds, batch, directions, seed, tolerance, random, most], (parsed, report, _) =>
        {
            var path = parsed.GetValue(model)!;
            var options = standard with
            {
                Batch = parsed.GetValue(batch),
                Directions = parsed.GetValue(directions),
                Seed = parsed.GetValue(seed),
                Tolerance = parsed.GetValue(tolerance),
                RandomWeights = parsed.GetValue(random),
                MostElements = parsed.GetValue(most),
            };
            if (options.Directions < 1 || !(options.Tolerance >= 0))
                throw new UsageException("--directions has to be at least 1 and --tolerance at least 0.");
            var onnx = OnnxReader.Read(path);
            var result = Check(onnx, parsed.GetValue(feeds) is { } file ? FeedFiles.Read(file, onnx.Graph.Inputs, "input") : null, options);
            Show(result, options, report);
            return result.Passed ? ExitCodes.Done : throw new CheckFailedException(
                $"The gradients of {result.Rows.Count(r => !r.Passed)} of {result.Rows.Count} values of '{path}' are off: "
                + $"{string.Join(", ", result.Rows.Where(r => !r.Passed).Select(r => r.Name))}. Does the model have a kink at these inputs? Try other --feeds.");
        });
    }

    private static GradientCheckReport Check(OnnxModel model, IReadOnlyDictionary<string, TensorData>? feeds, GradientCheckOptions options)
    {
        try
        {
            return GradientCheck.Run(model, feeds, options);
        }
        catch (ArgumentException error)
        {
            throw new UsageException($"{error.Message} See --feeds and --batch.");
        }
    }

    private static void Show(GradientCheckReport result, GradientCheckOptions options, Report report)
    {
        report.Set("rows", result.Rows.Select(r => new
        {
            r.Name,
            r.Elements,
            Analytic = Finite(r.Analytic),
            Numeric = Finite(r.Numeric),
            RelativeError = Finite(r.RelativeError),
            Uncertainty = Finite(r.Uncertainty),
            Verdict = r.Verdict.ToString(),
            r.Passed,
        }));
        report.Set("tolerance", options.Tolerance);
        report.Set("passed", result.Passed);
        report.Set("flat", result.IsFlat);

        string Small(double value) => value.ToString("0.0e-0", CultureInfo.InvariantCulture);
        report.Table([new("value"), new("elements", IsNumber: true), new("analytic", IsNumber: true), new("numeric", IsNumber: true),
            new("rel. error", IsNumber: true), new("uncertain", IsNumber: true), new("verdict")], result.Rows.Select(row => new[]
        {
            row.Name, row.Elements.ToString("N0", CultureInfo.InvariantCulture), row.Analytic.ToString("G7", CultureInfo.InvariantCulture),
            row.Numeric.ToString("G7", CultureInfo.InvariantCulture), Small(row.RelativeError), Small(row.Uncertainty), Words(row.Verdict),
        }));
        if (result.Rows.Any(r => r.Verdict == GradientVerdict.TooWeakToTell))
            report.Line("Too weak to tell: rounding or kinks (ReLUs) make the differences vaguer than the tolerance; a larger --tolerance can tell more.");
        if (result.IsFlat)
            report.Line("Every slope is 0: nothing flows from these values to the outputs, or the outputs are saturated at these feeds. This says nothing of the gradients.");
        report.Line(string.Create(CultureInfo.InvariantCulture,
            $"{result.Nodes} nodes, {result.GradientNodes} with gradients; tolerance {options.Tolerance:G3}, {options.Directions} directions, seed {options.Seed}"));
    }

    // JSON has no infinities.
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string Words(GradientVerdict verdict) => verdict switch
    {
        GradientVerdict.Agrees => "agrees",
        GradientVerdict.Differs => "DIFFERS",
        _ => "too weak to tell",
    };
}
