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
    public static OnnxModel Build(IStudent student, IReadOnlyDictionary<string, TensorData> weights, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var b = new GraphBuilder("generator");
        Shape Batched(long[] dims) => new([Dim.Named("N"), .. dims.Select(d => (Dim)d)]);
        var z = b.Input(Latent, ElementType.Float32, Batched(student.LatentShape));
        var label = student.Labels > 0 ? b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(Dim.Named("N"))) : null;
        var network = student.AtAnyBatch();
        var sample = student.Emit(b, "generator", network, z, label, Weights(b, network, weights));
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
    public static OnnxModel BuildDenoiser(Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights)
    {
        var b = new GraphBuilder("teacher");
        var inputs = denoiser.Model.Graph.Inputs.ToDictionary(i => i.Name, i => b.Input(i.Name, i.Type, i.Shape));
        var network = denoiser.AtAnyBatch();
        var output = network.Denoise(b, "generator", inputs[Denoiser.X], inputs[Denoiser.Sigma], inputs.GetValueOrDefault(Denoiser.Label), Weights(b, network, weights));
        output.KnownShape = inputs[Denoiser.X].KnownShape;
        b.Output(Denoiser.Denoised, output);
        var model = new OnnxModel(b.Graph) { Description = denoiser.Model.Description };
        foreach (var (key, value) in denoiser.Model.Metadata)
            model.Metadata[key] = value;
        return model;
    }

    private static string OutputName(string data) => data == "image" ? "image" : "points";

    private static Dictionary<string, Value> Weights(GraphBuilder b, Network network, IReadOnlyDictionary<string, TensorData> weights)
    {
        var parameters = network.Parameters.ToDictionary(p => p.Name, p => b.Initializer(p.Name, weights[p.Name]), StringComparer.Ordinal);
        // What a graph may bind in the template, it may bind in the file.
        foreach (var optional in network.Model.Graph.Initializers.Where(i => i.Name == Network.Augment))
            parameters[optional.Name] = b.Initializer(optional.Name, optional.Constant!); // an initializer
        return parameters;
    }
}
