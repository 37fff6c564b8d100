using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Importing;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Normalization;
using OnnxDistill.Teachers.Conventions;

namespace OnnxDistill.Teachers;

/// <summary>How a raw network becomes a teacher.</summary>
public sealed record ImportOptions
{
    /// <summary>Name of the convention, see <see cref="TeacherConventions"/>.</summary>
    public string Prediction { get; init; } = "flow";

    /// <summary>Name of the noisy-sample input; empty: guessed.</summary>
    public string Sample { get; init; } = "";

    /// <summary>Name of the time input; empty: guessed.</summary>
    public string Time { get; init; } = "";

    /// <summary>Name of the label input; empty: guessed.</summary>
    public string Label { get; init; } = "";

    /// <summary>Number of classes, without a null class; 0 for an unconditional network.</summary>
    public int Labels { get; init; }

    /// <summary>The label that means "no class", -1 for none.</summary>
    public int NullLabel { get; init; } = -1;

    /// <summary>Standard deviation of the data.</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Licence, as the source states it.</summary>
    public string Licence { get; init; } = "not stated";

    /// <summary>Where the network came from; empty: the file's name.</summary>
    public string Source { get; init; } = "";
}

/// <summary>Wraps a raw network in-graph to a denoiser D(x; sigma), with its card in the metadata.</summary>
public static class TeacherImporter
{
    /// <summary>The inputs that a raw graph's names, types and ranks suggest.</summary>
    /// <param name="Sample">Noisy sample: the float input of rank 2 or more.</param>
    /// <param name="Time">Time: the other float input.</param>
    /// <param name="Label">Class: an integer input, or null.</param>
    public readonly record struct Roles(Value? Sample, Value? Time, Value? Label);

    /// <summary>Guesses which input is what.</summary>
    public static Roles Guess(OnnxGraph graph, ImportOptions? options = null)
    {
        Value? Named(string? name) => string.IsNullOrEmpty(name) ? null : graph.Inputs.Find(i => i.Name == name)
            ?? throw new TeacherMismatchException($"The model has no input '{name}'. It has: {string.Join(", ", graph.Inputs)}.");
        var floats = graph.Inputs.Where(i => i.Type.IsFloating() && i.KnownShape is not null).ToList();
        var sample = Named(options?.Sample) ?? floats.Where(i => i.Shape.Rank >= 2).MaxBy(i => i.Shape.Rank);
        var time = Named(options?.Time) ?? floats.Find(i => i != sample && i.Shape.Rank <= 2);
        var label = Named(options?.Label) ?? graph.Inputs.Find(i => i.Type is ElementType.Int64 or ElementType.Int32 && i != time);
        return new Roles(sample, time, label);
    }

    /// <summary>Reads a raw network and wraps it.</summary>
    /// <exception cref="Graph.ModelFileException">The file is missing or damaged.</exception>
    /// <exception cref="Graph.UnsupportedOpException">Operators cannot be differentiated or brought to opset 18; all are named.</exception>
    /// <exception cref="TeacherMismatchException">Inputs do not fit the options.</exception>
    public static Denoiser Import(string path, ImportOptions options)
    {
        var model = OnnxReader.Read(path);
        // Exported from a network in training mode, it would deny as a teacher what it knows, at random; training graphs drop by masks of their own.
        DropoutNodes.ToInference(model.Graph);
        // Before anything runs: all operators that have no gradient, by the names of the file.
        RawCoverage.Of(model).ThrowIfIncomplete();
        return Wrap(ModelPreparation.Convert(model), options, Path.GetFileName(path));
    }

    private static Denoiser Wrap(OnnxModel raw, ImportOptions options, string file)
    {
        var convention = TeacherConventions.Find(options.Prediction);
        var (sample, time, label) = Guess(raw.Graph, options);
        if (sample is null || time is null)
        {
            throw new TeacherMismatchException($"'{file}' has the inputs {string.Join("; ", raw.Graph.Inputs)}: no sample and time could be told apart. "
                + "Name them with --sample and --time.");
        }
        if (sample.Type is not ElementType.Float32 && sample.Type.IsFloating())
            throw new TeacherMismatchException($"'{file}' takes its sample as {sample}, expected float32. Export the network in float32 (in PyTorch: model.float() first).");
        if (time.Type != ElementType.Float32 || time.Shape.Rank != 1 || (label is not null && (label.Type != ElementType.Int64 || label.Shape.Rank != 1)))
            throw new TeacherMismatchException($"'{file}': time has to be float32 [N] and labels int64 [N], found {time}{(label is null ? "" : $" and {label}")}.");
        if (label is not null != options.Labels > 0)
        {
            throw new TeacherMismatchException(label is null
                ? $"'{file}' has no integer input for labels, but {options.Labels} labels were told."
                : $"'{file}' takes labels as '{label.Name}'. Tell how many classes there are with --labels.");
        }
        if (raw.Graph.Inputs.Count != (label is null ? 2 : 3))
            throw new TeacherMismatchException($"'{file}' has inputs beside sample, time and label: {string.Join("; ", raw.Graph.Inputs)}.");

        var b = new GraphBuilder("teacher");
        var batch = Dim.Named("N");
        var x = b.Input(Denoiser.X, ElementType.Float32, new Shape([batch, .. sample.Shape.Skip(1)]));
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        var classes = label is null ? null : b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(batch));
        // Weights keep their names: people and checkpoints know them by these.
        var bound = raw.Graph.Initializers.ToDictionary(i => i.Name, i => b.Initializer(i.Name, i.Constant!), StringComparer.Ordinal);
        var denoised = convention.Denoise(b, x, sigma, (state, clock) =>
        {
            bound[sample.Name] = state;
            bound[time.Name] = clock;
            if (label is not null)
                bound[label.Name] = classes!;
            var output = b.Inline(raw.Graph, "network", bound)[0];
            output.KnownShape = x.Shape;
            return output;
        });
        b.Output(Denoiser.Denoised, denoised);

        var model = new OnnxModel(b.Graph) { Description = $"D(x; sigma) of {file}" };
        var range = convention.SigmaRange;
        new TeacherCard
        {
            Prediction = convention.Name,
            SigmaData = options.SigmaData,
            SigmaMin = range.Min,
            SigmaMax = range.Max,
            Labels = options.Labels,
            NullLabel = options.NullLabel,
            Licence = options.Licence,
            Source = options.Source.Length > 0 ? options.Source : file,
        }.WriteTo(model);
        return new Denoiser(model, $"'{file}'");
    }
}
