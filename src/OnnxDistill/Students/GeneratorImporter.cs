using System.Globalization;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Teachers.Importing;

namespace OnnxDistill.Students;

/// <summary>Brings any ONNX network from a latent to a sample to this project's convention, see <see cref="Generator"/>: a GAN's generator, a finished run.</summary>
public static class GeneratorImporter
{
    // Two runs of the same samples, in batches of other sizes: float32 sums may come in another order.
    private const double BatchTolerance = 1e-4;

    /// <summary>Reads a generator.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What the file does not tell.</param>
    /// <param name="labels">Number of classes that it has to take, 0 for none.</param>
    /// <param name="dataShape">Extents that its samples have to have.</param>
    /// <exception cref="ModelFileException">The file is missing or damaged, or has weights that are no numbers.</exception>
    /// <exception cref="UnsupportedOpException">Operators cannot be differentiated or brought to opset 18; all are named.</exception>
    /// <exception cref="TeacherMismatchException">It is no network from a latent to such samples.</exception>
    public static Generator Read(string path, GeneratorOptions options, int labels, IReadOnlyList<long> dataShape)
    {
        var what = $"'{Path.GetFileName(path)}'";
        var model = OnnxReader.Read(path);
        var generator = model.Metadata.GetValueOrDefault(Generator.KindKey) == Generator.Kind ? Own(model, options, what) : Wrapped(RawNetwork.Read(path, FreeBatch.Apply), options, labels, what);
        if (generator.Labels != labels)
        {
            throw new TeacherMismatchException($"student: {what} takes {generator.Labels} classes, expected {labels}, as teacher and data have. "
                + "Student and teacher have to be told the same class; take a generator of as many classes, or a teacher of fewer ('import' with --constant folds one class in).");
        }
        if (!generator.DataShape.SequenceEqual(dataShape))
        {
            throw new TeacherMismatchException($"student: {what} makes samples [{string.Join(", ", generator.DataShape)}], expected [{string.Join(", ", dataShape)}], as teacher and data have. "
                + "Take a generator of that size, or set studentImport.layout if only the order of axes differs.");
        }
        return generator;
    }

    private static Generator Own(OnnxModel model, GeneratorOptions options, string what) => options == new GeneratorOptions() ? Unclamped(model, what)
        : throw new RecipeException($"studentImport: {what} is a generator of this project's own form, which needs no such options. Leave the group out.");

    /// <summary>A generator of this project's own form without what <c>export</c> put behind it, see <see cref="GeneratorPixels"/>.</summary>
    /// <exception cref="TeacherMismatchException">It is none, or its weights were rounded.</exception>
    internal static Generator Unclamped(OnnxModel model, string what)
    {
        var precision = model.Metadata.GetValueOrDefault(GeneratorMetadata.Precision, "fp32");
        if (precision != "fp32")
        {
            throw new TeacherMismatchException($"{what} was exported in {precision}, so the weights that were trained are no longer in it. "
                + "Take the run's own generator-*.onnx, or one exported without --precision.");
        }
        GeneratorPixels.Remove(model, what);
        return new Generator(model, what);
    }

    private static Generator Wrapped(RawNetwork raw, GeneratorOptions options, int labels, string what)
    {
        var graph = raw.Graph;
        Value Named(List<Value> values, string name, string key) => values.Find(v => v.Name == name)
            ?? throw new TeacherMismatchException($"studentImport.{key}: {what} has no '{name}'. It has: {string.Join("; ", values)}.");
        var latent = options.LatentInput.Length > 0 ? Named(graph.Inputs, options.LatentInput, "latentInput")
            : Only(graph.Inputs.Where(i => i.Type.IsFloating() && i.Name != options.LabelInput && !(labels > 0 && graph.Inputs.Count == 2 && IsRow(i, labels))), graph, "latentInput", what);
        var rest = graph.Inputs.Where(i => i != latent).ToList();
        var label = options.LabelInput.Length > 0 ? Named(graph.Inputs, options.LabelInput, "labelInput") : rest.FirstOrDefault();
        if (rest.Count > 1 || (rest.Count == 1 && rest[0] != label) || label is null != (labels == 0))
        {
            throw new TeacherMismatchException($"student: {what} has the inputs {string.Join("; ", graph.Inputs)}; expected one latent{(labels > 0 ? $" and one label of {labels} classes, as teacher and data have them" : " and nothing else, for teacher and data have no classes")}. "
                + "Name them with studentImport.latentInput and studentImport.labelInput, or export the network with its other inputs folded in.");
        }
        var output = options.Output.Length > 0 ? Named(graph.Outputs, options.Output, "output") : Only(graph.Outputs, graph, "output", what);
        if (latent.KnownShape is not { Rank: > 1 } shape || !shape.Skip(1).All(static d => d.IsKnown))
            throw new TeacherMismatchException($"student: the latent of {what} is {latent}; every extent but the batch has to be a number. Export it with fixed sizes.");
        var import = new ImportOptions { Labels = labels, Range = options.Range, Channels = options.Channels, Layout = options.Layout };

        var b = new GraphBuilder("generator");
        var batch = Dim.Named(FreeBatch.Symbol);
        var z = b.Input(Generator.Latent, ElementType.Float32, latent.Shape.With(0, batch));
        // Weights keep their names: people and checkpoints know them by these.
        var bound = graph.Initializers.ToDictionary(i => i.Name, i => b.Initializer(i.Name, i.Constant!), StringComparer.Ordinal);
        bound[latent.Name] = Drawn(b, z, options.Latent);
        if (label is not null)
            bound[label.Name] = new LabelInput(label, import, what).Encode(b, b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(batch)));
        var raws = b.Inline(graph, "network", bound);
        var range = DataRange.Parse(import);
        var sample = range.FromNetwork(b, range.AxesFromNetwork(b, raws[graph.Outputs.IndexOf(output)]));
        sample.KnownShape = range.ShapeOf(output.Shape, what).With(0, batch);
        b.Output(sample.Shape.Rank == 4 ? "image" : "points", sample);
        var model = new OnnxModel(b.Graph) { Description = $"G(z) of {raw.File}" };
        model.Metadata[Generator.KindKey] = Generator.Kind;
        model.Metadata[Generator.LabelsKey] = labels.ToString(CultureInfo.InvariantCulture);
        var generator = new Generator(model, what);
        RequireIndependentSamples(generator);
        return generator;
    }

    private static bool IsRow(Value input, int labels) => input.KnownShape is { Rank: 2 } shape && shape[1] is { IsKnown: true } width && width.Size == labels;

    private static Value Only(IEnumerable<Value> candidates, OnnxGraph graph, string key, string what) => candidates.ToList() is [var one] ? one
        : throw new TeacherMismatchException($"student: {what} has the inputs {string.Join("; ", graph.Inputs)} and the outputs {string.Join("; ", graph.Outputs)}; which is meant? Name it with studentImport.{key}.");

    // u = Phi(z) is uniform.
    private static Value Drawn(GraphBuilder b, Value z, LatentLaw law) => law switch
    {
        LatentLaw.Normal => z,
        LatentLaw.SignedUniform => b.Erf(b.Mul(z, Math.Sqrt(0.5))),
        _ => b.Mul(b.Add(b.Erf(b.Mul(z, Math.Sqrt(0.5))), 1), 0.5),
    };

    // The file's batch may also be written into its graph, or its samples may share statistics: what a batch makes of a latent must be what the latent alone gives.
    private static void RequireIndependentSamples(Generator generator)
    {
        const int count = 3;
        var size = (int)generator.LatentShape.Aggregate(1L, static (n, d) => n * d);
        var z = new float[count * size];
        new NoiseStream(0, StreamId.Named("generator-import")).FillNormal(z, 0);
        Dictionary<string, TensorData> Feeds(int first, int now)
        {
            var feeds = new Dictionary<string, TensorData> { [Generator.Latent] = TensorData.Of(z.AsSpan(first * size, now * size), [now, .. generator.LatentShape]) };
            if (generator.Labels > 0)
                feeds[Denoiser.Label] = TensorData.Of([.. Enumerable.Range(first, now).Select(i => (long)i % generator.Labels)], now);
            return feeds;
        }
        try
        {
            using var session = GraphSession.Create(generator.Model, what: generator.What);
            var whole = session.Run(Feeds(0, count)).Values.Single();
            var alone = Enumerable.Range(0, count).SelectMany(i => session.Run(Feeds(i, 1)).Values.Single().As<float>().ToArray()).ToArray();
            var scale = Math.Max(1, alone.Max(Math.Abs));
            if (whole.Dims.SequenceEqual([count, .. generator.DataShape]) && whole.As<float>().ToArray().Zip(alone).All(p => Math.Abs(p.First - p.Second) <= BatchTolerance * scale))
                return;
        }
        catch (GraphRunException)
        {
            // Said below.
        }
        throw new TeacherMismatchException($"student: {generator.What} makes other samples in a batch of {count} than one at a time, or none at all: its batch of 1 is written into the graph, "
            + "or its samples share statistics (a BatchNormalization in training mode). Export it in evaluation mode with a dynamic batch.");
    }
}
