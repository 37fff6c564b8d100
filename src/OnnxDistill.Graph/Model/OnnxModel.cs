namespace OnnxDistill.Graph.Model;

/// <summary>A graph with its operator sets, metadata and model-local functions: what an ONNX file holds.</summary>
public sealed class OnnxModel
{
    /// <summary>The one opset version inside OnnxDistill (design.md decision 8).</summary>
    public const int InnerOpset = 18;

    /// <summary>A model over that graph at the inner opset.</summary>
    public OnnxModel(OnnxGraph graph) => Graph = graph;

    /// <summary>The main graph.</summary>
    public OnnxGraph Graph { get; }

    /// <summary>Version of each operator domain; the empty domain is standard ONNX.</summary>
    public SortedDictionary<string, long> Opsets { get; } = new(StringComparer.Ordinal) { [""] = InnerOpset };

    /// <summary>Version of the standard operator set.</summary>
    public long Opset => Opsets.TryGetValue("", out var version) ? version : 0;

    /// <summary>The file format's version; 9 is the newest that opset 18 files of this project need.</summary>
    public long IrVersion { get; set; } = 9;

    /// <summary>Who wrote it.</summary>
    public string Producer { get; set; } = "OnnxDistill";

    /// <summary>Free text about the model.</summary>
    public string Description { get; set; } = "";

    /// <summary>Key-value pairs of the file's <c>metadata_props</c>.</summary>
    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Model-local functions, inlined by ModelNormalizer.</summary>
    public List<OnnxFunction> Functions { get; } = [];

    /// <summary>The model with everything as it is but its graph.</summary>
    public OnnxModel With(OnnxGraph graph)
    {
        var model = new OnnxModel(graph) { IrVersion = IrVersion, Producer = Producer, Description = Description };
        model.Opsets.Clear();
        foreach (var (domain, version) in Opsets)
            model.Opsets[domain] = version;
        foreach (var (key, value) in Metadata)
            model.Metadata[key] = value;
        model.Functions.AddRange(Functions);
        return model;
    }
}

/// <summary>A model-local function: a node type defined by a body of nodes.</summary>
/// <param name="Domain">Operator domain that calls it.</param>
/// <param name="Name">Operator type that calls it.</param>
/// <param name="Body">Inputs, outputs and nodes; values carry names only.</param>
/// <param name="Attributes">Attributes without a default.</param>
/// <param name="Defaults">Attributes with a default.</param>
/// <param name="Opsets">Operator sets that the body uses.</param>
public sealed record OnnxFunction(string Domain, string Name, OnnxGraph Body, IReadOnlyList<string> Attributes, AttributeMap Defaults,
    IReadOnlyDictionary<string, long> Opsets);
