using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Normalization;

namespace OnnxDistill.Teachers;

/// <summary>
/// A denoiser D(x; sigma[, label]) in the EDM frame as an ONNX model: inputs <c>x</c> [N, ...], <c>sigma</c> [N] and, when
/// conditional, <c>label</c> [N] (int64); output <c>denoised</c> of x's shape. Teachers, students and fake scores all start as one.
/// </summary>
public sealed class Denoiser
{
    /// <summary>Name of the noisy input.</summary>
    public const string X = "x";
    /// <summary>Name of the noise-level input.</summary>
    public const string Sigma = "sigma";
    /// <summary>Name of the class input.</summary>
    public const string Label = "label";
    /// <summary>Name of the output.</summary>
    public const string Denoised = "denoised";

    private readonly ModelDigest _digest;
    private (IReadOnlyList<Feature>, Feature?)? _taps;

    /// <summary>A denoiser over a model that follows the convention.</summary>
    /// <exception cref="TeacherMismatchException">Inputs, output or card do not follow it.</exception>
    public Denoiser(OnnxModel model, string what = "the denoiser")
    {
        (Model, What, _digest) = (model, what, new ModelDigest(model));
        Card = TeacherCard.Read(model) ?? throw new TeacherMismatchException(
            $"{what} has no OnnxDistill card in its metadata, so its convention is not known. Run 'onnxdistill import' on it first.");
        DataShape = DenoiserForm.Require(model.Graph, Card, what);
    }

    /// <summary>The model as it lies in its file, batch symbolic.</summary>
    public OnnxModel Model { get; }

    /// <summary>What error messages call it.</summary>
    public string What { get; }

    /// <summary>Its card.</summary>
    public TeacherCard Card { get; }

    /// <summary>Extents of one sample, without the batch.</summary>
    public long[] DataShape { get; }

    /// <summary>The nearest noise level that the teacher knows; the level itself unless it was made of a network with whole steps. Noise is added at this level, so
    /// that what is added and what is told agree (methods.md section 2).</summary>
    public double RoundSigma(double sigma) => Card.Levels?.Nearest(sigma) ?? sigma;

    /// <summary>Numbers in one sample.</summary>
    public long Dimension => DataShape.Aggregate(1L, static (n, d) => n * d);

    /// <summary>Reads a denoiser file.</summary>
    /// <exception cref="Graph.ModelFileException">The file is missing or damaged.</exception>
    /// <exception cref="TeacherMismatchException">It is no denoiser of this project's convention.</exception>
    public static Denoiser Load(string path) => new(OnnxReader.Read(path), $"'{path}'");

    /// <summary>The network at a fixed batch, normalised, every shape known: ready to be composed and differentiated.</summary>
    public Network AtBatch(int batch) =>
        new(ModelNormalizer.Normalize(Model, new NormalizeOptions { Batch = batch }), What, Model);

    /// <summary>As <see cref="AtBatch(int)"/>, with activations as further outputs under their own names.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="tensors">Names of tensors in the file; an empty one stands for <see cref="FeatureTaps.Automatic"/>.</param>
    /// <exception cref="TeacherMismatchException">There is no such tensor, or none that could be chosen.</exception>
    public (Network Network, IReadOnlyList<Feature> Features) AtBatch(int batch, IReadOnlyList<string> tensors)
    {
        if (tensors.Count == 0)
            return (AtBatch(batch), []);
        var names = tensors.Select(t => t.Length > 0 ? t : Automatic()).ToList();
        var tapped = new OnnxGraph { Name = Model.Graph.Name };
        tapped.Inputs.AddRange(Model.Graph.Inputs);
        tapped.Initializers.AddRange(Model.Graph.Initializers);
        tapped.Nodes.AddRange(Model.Graph.Nodes);
        tapped.Outputs.AddRange(Model.Graph.Outputs.Concat(names.Distinct().Select(Tensor)));
        var network = new Network(ModelNormalizer.Normalize(Model.With(tapped), new NormalizeOptions { Batch = batch }), What, Model);
        return (network, names.ConvertAll(n => new Feature(n, network.Model.Graph.Output(n).Shape)));
    }

    /// <summary>Whether the file has a tensor of that name.</summary>
    internal bool HasTensor(string name) => Find(name) is not null;

    private Value? Find(string name) => Model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().FirstOrDefault(v => v.Name == name);

    private Value Tensor(string name) => Find(name) ?? throw new TeacherMismatchException($"{What} has no tensor '{name}' to tap. 'onnxdistill inspect' lists candidates; leave the name empty for the end of the encoder.");

    /// <summary>Tensors of the file that a discriminator may stand on, with their shapes at batch 1, and the first choice; none for a formula without weights, such as an
    /// exact mixture.</summary>
    public (IReadOnlyList<Feature> Candidates, Feature? Automatic) TapCandidates() => _taps ??= FindTaps();

    private (IReadOnlyList<Feature>, Feature?) FindTaps()
    {
        var network = AtBatch(1);
        if (network.Parameters.Count == 0)
            return ([], null);
        // Folding makes tensors that the file does not have.
        var graph = network.Model.Graph;
        return ([.. FeatureTaps.Candidates(graph).Where(f => HasTensor(f.Tensor))], FeatureTaps.Automatic(graph));
    }

    private string Automatic() => TapCandidates().Automatic?.Tensor
        ?? throw new TeacherMismatchException($"{What} has no activations of its own (an exact mixture has none), so no discriminator can stand on them. Put it on the other network.");

    /// <summary>The network with its batch left symbolic, for export.</summary>
    public Network AtAnyBatch() => new(Model, What, Model);

    /// <summary>SHA-256 of the written model, in hexadecimal: tells runs and students which teacher they belong to.</summary>
    /// <exception cref="Runtime.RuntimeUnavailableException">The system's OpenSSL, which .NET computes it with, is missing.</exception>
    public string Hash() => _digest.Value;
}
