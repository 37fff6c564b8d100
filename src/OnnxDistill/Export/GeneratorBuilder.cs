using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Students;
using OnnxDistill.Teachers;

namespace OnnxDistill.Export;

/// <summary>Writes the student x = G_theta(z) with given weights as an ONNX model: what runs keep, and <see cref="GeneratorExport"/> finishes for users.</summary>
public static class GeneratorBuilder
{
    /// <summary>Name of the latent input: standard normal numbers [N, ...], of a sample's shape where the student is a denoiser.</summary>
    public const string Latent = Generator.Latent;

    /// <summary>Name of the output for a card's kind of data.</summary>
    public static string OutputName(TeacherCard card) => OutputName(card.Data);

    /// <summary>A denoiser at one noise level with a symbolic batch.</summary>
    /// <param name="denoiser">The student's architecture.</param>
    /// <param name="weights">Values of its parameters, by name.</param>
    /// <param name="sigmaInit">Noise level of the one step, in the data's units.</param>
    /// <param name="metadata">Further entries of the file's metadata: method, teacher's hash, ...</param>
    public static OnnxModel Build(Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights, double sigmaInit,
        IEnumerable<KeyValuePair<string, string>> metadata) => Build(new DenoiserStudent(denoiser, sigmaInit), weights, metadata);

    /// <summary>The generator with a symbolic batch.</summary>
    /// <param name="student">The student's architecture.</param>
    /// <param name="weights">Values of its parameters, by name.</param>
    /// <param name="metadata">Further entries of the file's metadata: method, teacher's hash, ...</param>
    public static OnnxModel Build(IStudent student, IReadOnlyDictionary<string, TensorData> weights, IEnumerable<KeyValuePair<string, string>> metadata) =>
        Build(student, (b, network) => Weights(b, network, weights), metadata);

    /// <summary>The generator with a symbolic batch and its weights as inputs, after the latent and the label: what draws samples while something else trains.</summary>
    /// <param name="student">The student's architecture.</param>
    /// <param name="inputName">Name of a parameter's input.</param>
    /// <param name="metadata">Further entries of the file's metadata: method, teacher's hash, ...</param>
    public static OnnxModel BuildOpen(IStudent student, Func<string, string> inputName, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var inputs = new List<Value>();
        var model = Build(student, (b, network) =>
        {
            var parameters = network.Parameters.ToDictionary(p => p.Name, p => b.Input(inputName(p.Name), ElementType.Float32, p.Shape), StringComparer.Ordinal);
            inputs.AddRange(parameters.Values);
            return WithOptional(b, network, parameters);
        }, metadata);
        // Nobody should have to feed what is not read.
        var read = model.Graph.Nodes.SelectMany(n => n.Inputs).Concat(model.Graph.Outputs).OfType<Value>().ToHashSet();
        model.Graph.Inputs.RemoveAll(i => inputs.Contains(i) && !read.Contains(i));
        return model;
    }

    private static OnnxModel Build(IStudent student, Func<GraphBuilder, Network, Dictionary<string, Value>> weights, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var b = new GraphBuilder("generator");
        Shape Batched(long[] dims) => new([Dim.Named("N"), .. dims.Select(d => (Dim)d)]);
        var z = b.Input(Latent, ElementType.Float32, Batched(student.LatentShape));
        var label = student.Labels > 0 ? b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(Dim.Named("N"))) : null;
        var network = student.AtAnyBatch();
        var sample = student.Emit(b, "generator", network, z, label, weights(b, network));
        sample.KnownShape = Batched(student.DataShape);
        b.Output(OutputName(student.Data), sample);

        var model = new OnnxModel(b.Graph) { Description = "One-step generator distilled by OnnxDistill" };
        foreach (var (key, value) in metadata)
            model.Metadata[key] = value;
        model.Metadata[GeneratorMetadata.Kind] = Generator.Kind;
        model.Metadata[GeneratorMetadata.Steps] = "1";
        model.Metadata[GeneratorMetadata.Latent] = "standard normal";
        model.Metadata[GeneratorMetadata.Data] = student.Data;
        model.Metadata[GeneratorMetadata.Labels] = student.Labels.ToString(CultureInfo.InvariantCulture);
        if (student.SigmaInit is { } sigmaInit)
            model.Metadata[GeneratorMetadata.SigmaInit] = sigmaInit.ToString("R", CultureInfo.InvariantCulture);
        model.Metadata.TryAdd(GeneratorMetadata.Licence, student.Licence);
        return model;
    }

    /// <summary>The denoiser itself with other weights: how a fitted teacher is written.</summary>
    public static OnnxModel BuildDenoiser(Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights) => BuildDenoiser(denoiser, weights, denoiser.AtAnyBatch());

    /// <summary>The same with a network in the denoiser's place that was made of it.</summary>
    internal static OnnxModel BuildDenoiser(Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights, Network network)
    {
        var b = new GraphBuilder("teacher");
        var inputs = denoiser.Model.Graph.Inputs.ToDictionary(i => i.Name, i => b.Input(i.Name, i.Type, i.Shape));
        var output = network.Denoise(b, "generator", inputs[Denoiser.X], inputs[Denoiser.Sigma], inputs.GetValueOrDefault(Denoiser.Label), Weights(b, network, weights));
        output.KnownShape = inputs[Denoiser.X].KnownShape;
        b.Output(Denoiser.Denoised, output);
        var model = new OnnxModel(b.Graph) { Description = denoiser.Model.Description };
        foreach (var (key, value) in denoiser.Model.Metadata)
            model.Metadata[key] = value;
        return model;
    }

    private static string OutputName(string data) => data == "image" ? "image" : "points";

    private static Dictionary<string, Value> Weights(GraphBuilder b, Network network, IReadOnlyDictionary<string, TensorData> weights) =>
        WithOptional(b, network, network.Parameters.ToDictionary(p => p.Name, p => b.Initializer(p.Name, weights[p.Name]), StringComparer.Ordinal));

    // What a graph may bind in the template, it may bind in the file.
    private static Dictionary<string, Value> WithOptional(GraphBuilder b, Network network, Dictionary<string, Value> parameters)
    {
        foreach (var optional in network.Model.Graph.Initializers.Where(i => i.Name == Network.Augment))
            parameters[optional.Name] = b.Initializer(optional.Name, optional.Constant!); // an initializer
        return parameters;
    }
}
