using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Normalization;
using OnnxDistill.Teachers;

namespace OnnxDistill.Students;

/// <summary>
/// A generator file of this project's convention: input <c>z</c> (standard normal numbers [N, ...]), input <c>label</c> (int64 [N]) if it is conditional, one output of samples
/// [N, ...]. Exported runs are of this form, built-in generators too, and foreign ones are brought to it by <see cref="GeneratorImporter"/>.
/// </summary>
public sealed class Generator : IStudent
{
    /// <summary>Name of the latent input.</summary>
    public const string Latent = "z";

    /// <summary>Key of the metadata entry that says what kind of file it is.</summary>
    public const string KindKey = GeneratorMetadata.Kind;

    /// <summary>The kind of a generator's file.</summary>
    public const string Kind = "generator";

    /// <summary>Key of the metadata entry with the number of classes.</summary>
    public const string LabelsKey = GeneratorMetadata.Labels;

    /// <summary>Key of the metadata entry with the kind of samples.</summary>
    public const string DataKey = GeneratorMetadata.Data;

    /// <summary>Key of the metadata entry with the licence of what it was distilled from.</summary>
    public const string LicenceKey = GeneratorMetadata.Licence;

    private readonly OnnxModel _model;
    private readonly ModelDigest _digest;

    /// <summary>A generator over a model that follows the convention.</summary>
    /// <exception cref="TeacherMismatchException">It does not.</exception>
    public Generator(OnnxModel model, string what = "the generator")
    {
        (_model, What, _digest) = (model, what, new ModelDigest(model));
        var graph = model.Graph;
        Labels = int.TryParse(model.Metadata.GetValueOrDefault(LabelsKey, "0"), CultureInfo.InvariantCulture, out var labels) ? labels : 0;
        string[] expected = Labels > 0 ? [Latent, Denoiser.Label] : [Latent];
        var found = graph.Inputs.ConvertAll(i => i.Name);
        if (!expected.Order(StringComparer.Ordinal).SequenceEqual(found.Order(StringComparer.Ordinal)) || graph.Outputs.Count != 1)
        {
            throw new TeacherMismatchException($"{what} is no generator of {Labels} classes: it should have the inputs {string.Join(", ", expected)} and one output, it has "
                + $"{string.Join(", ", found)} and {string.Join(", ", graph.Outputs.Select(o => o.Name))}.");
        }
        LatentShape = Extents(graph.Input(Latent), what);
        DataShape = Extents(graph.Outputs[0], what);
    }

    /// <summary>The model, batch symbolic.</summary>
    public OnnxModel Model => _model;

    /// <inheritdoc/>
    public string What { get; }

    /// <inheritdoc/>
    public string Data => _model.Metadata.GetValueOrDefault(DataKey, DataShape.Length == 3 ? "image" : "points");

    /// <inheritdoc/>
    public int Labels { get; }

    /// <inheritdoc/>
    public string Licence => _model.Metadata.GetValueOrDefault(LicenceKey, "not stated");

    /// <inheritdoc/>
    public long[] DataShape { get; }

    /// <inheritdoc/>
    public long[] LatentShape { get; }

    /// <inheritdoc/>
    public double? SigmaInit => null;

    /// <summary>Whether a network is placed as a generator is, and not as a denoiser.</summary>
    internal static bool Is(Network network) => network.Model.Graph.Inputs.Exists(i => i.Name == Latent);

    /// <summary>The inputs of a generator by name.</summary>
    internal static Dictionary<string, Value> Inputs(Value z, Value? label)
    {
        var inputs = new Dictionary<string, Value>(StringComparer.Ordinal) { [Latent] = z };
        if (label is not null)
            inputs[Denoiser.Label] = label;
        return inputs;
    }

    /// <inheritdoc/>
    public Network AtBatch(int batch) => new(ModelNormalizer.Normalize(_model, new NormalizeOptions { Batch = batch }), What, _model);

    /// <inheritdoc/>
    public Network AtAnyBatch() => new(_model, What, _model);

    /// <inheritdoc/>
    public Value Emit(GraphBuilder b, string scope, Network network, Value z, Value? label, IReadOnlyDictionary<string, Value> parameters) =>
        network.Apply(b, scope, Inputs(z, label), parameters).Values.Single();

    /// <summary>SHA-256 of the written model, in hexadecimal.</summary>
    /// <exception cref="Runtime.RuntimeUnavailableException">The system's OpenSSL, which .NET computes it with, is missing.</exception>
    public string Hash() => _digest.Value;

    private static long[] Extents(Value value, string what) => value.KnownShape is { Rank: > 1 } shape && !shape[0].IsKnown && shape.Skip(1).All(static d => d.IsKnown)
        ? [.. shape.Skip(1).Select(static d => d.Size)]
        : throw new TeacherMismatchException($"{what} is no generator: '{value.Name}' is {value}; every extent but the batch has to be a number, and the batch must not be one.");
}
