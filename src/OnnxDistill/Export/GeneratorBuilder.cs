using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;

namespace OnnxDistill.Export;

/// <summary>Writes x = D_theta(sigma_init z; sigma_init) with given weights as an ONNX model: what users run.</summary>
public static class GeneratorBuilder
{
    /// <summary>Name of the latent input: standard normal numbers, shape [N, ...] of a sample.</summary>
    public const string Latent = "z";

    /// <summary>Name of the output for a card's kind of data.</summary>
    public static string OutputName(TeacherCard card) => card.Data == "image" ? "image" : "points";

    /// <summary>The generator with a symbolic batch.</summary>
    /// <param name="denoiser">The student's architecture.</param>
    /// <param name="weights">Values of its parameters, by name.</param>
    /// <param name="sigmaInit">Noise level of the one step, in the data's units.</param>
    /// <param name="metadata">Further entries of the file's metadata: method, teacher's hash, ...</param>
    public static OnnxModel Build(Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights, double sigmaInit,
        IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var b = new GraphBuilder("generator");
        var z = b.Input(Latent, ElementType.Float32, new Shape([Dim.Named("N"), .. denoiser.DataShape.Select(d => (Dim)d)]));
        var label = denoiser.Card.IsConditional ? b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(Dim.Named("N"))) : null;
        // The noise level as a vector of the batch's length, whatever it is at run time.
        var batch = b.Emit("Shape", [z], ElementType.Int64, Shape.Of(1), ("start", 0), ("end", 1));
        var sigma = b.Emit("ConstantOfShape", [batch], ElementType.Float32, Shape.Of(Dim.Named("N")),
            ("value", TensorData.Of([(float)sigmaInit], 1)));
        var sample = Apply(b, denoiser, weights, b.Mul(z, sigmaInit), sigma, label);
        sample.KnownShape = z.KnownShape;
        b.Output(OutputName(denoiser.Card), sample);

        var model = new OnnxModel(b.Graph) { Description = "One-step generator distilled by OnnxDistill" };
        foreach (var (key, value) in metadata)
            model.Metadata[key] = value;
        model.Metadata[TeacherCard.Prefix + "kind"] = "generator";
        model.Metadata[TeacherCard.Prefix + "steps"] = "1";
        model.Metadata[TeacherCard.Prefix + "latent"] = "standard normal";
        model.Metadata[TeacherCard.Prefix + "data"] = denoiser.Card.Data;
        model.Metadata[TeacherCard.Prefix + "labels"] = denoiser.Card.Labels.ToString(CultureInfo.InvariantCulture);
        model.Metadata[TeacherCard.Prefix + "sigma_init"] = sigmaInit.ToString("R", CultureInfo.InvariantCulture);
        model.Metadata[TeacherCard.Prefix + "teacher_licence"] = denoiser.Card.Licence;
        return model;
    }

    /// <summary>The denoiser itself with other weights: how a fitted teacher is written.</summary>
    public static OnnxModel BuildDenoiser(Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights)
    {
        var b = new GraphBuilder("teacher");
        var inputs = denoiser.Model.Graph.Inputs.ToDictionary(i => i.Name, i => b.Input(i.Name, i.Type, i.Shape));
        var output = Apply(b, denoiser, weights, inputs[Denoiser.X], inputs[Denoiser.Sigma], inputs.GetValueOrDefault(Denoiser.Label));
        output.KnownShape = inputs[Denoiser.X].KnownShape;
        b.Output(Denoiser.Denoised, output);
        var model = new OnnxModel(b.Graph) { Description = denoiser.Model.Description };
        foreach (var (key, value) in denoiser.Model.Metadata)
            model.Metadata[key] = value;
        return model;
    }

    private static Value Apply(GraphBuilder b, Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights, Value x, Value sigma, Value? label)
    {
        var network = denoiser.AtAnyBatch();
        var parameters = network.Parameters.ToDictionary(p => p.Name, p => b.Initializer(p.Name, weights[p.Name]), StringComparer.Ordinal);
        // What a graph may bind in the template, it may bind in the file.
        foreach (var optional in network.Model.Graph.Initializers.Where(i => i.Name == Network.Augment))
            parameters[optional.Name] = b.Initializer(optional.Name, optional.Constant!); // an initializer
        return network.Denoise(b, "generator", x, sigma, label, parameters);
    }
}
