using Google.Protobuf;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Reads ONNX files. Tensors in external files must lie in the model's folder and are loaded when first used;
/// documentation strings and fields that the graph model has no place for are skipped.</summary>
public static class OnnxReader
{
    /// <summary>Reads a model file.</summary>
    /// <exception cref="ModelFileException">The file is missing, damaged or unsafe; the message lists everything found.</exception>
    /// <exception cref="UnsupportedOpException">The file is sound but uses parts of ONNX that OnnxDistill does not read (sparse tensors,
    /// training information, element types such as float8); the message lists all of them.</exception>
    public static OnnxModel Read(string path)
    {
        var bytes = ModelFiles.ReadAll(path, "model", " Save it with its weights as external data.");
        return Read(bytes, Path.GetDirectoryName(Path.GetFullPath(path)), $"The model file '{path}'");
    }

    /// <summary>Reads a model from memory.</summary>
    /// <param name="bytes">The file's content.</param>
    /// <param name="externalFolder">The folder that external data may lie in; without one, a model with external data is refused.</param>
    /// <param name="what">What error messages call it.</param>
    /// <exception cref="ModelFileException">The bytes are damaged or name unsafe files; the message lists everything found.</exception>
    /// <exception cref="UnsupportedOpException">The model uses parts of ONNX that OnnxDistill does not read.</exception>
    public static OnnxModel Read(ReadOnlyMemory<byte> bytes, string? externalFolder = null, string what = "model")
    {
        var proto = Parse(ModelProto.Parser, bytes.Span, what);
        if (proto.Graph is null)
            throw new ModelFileException($"{what} is not an ONNX model: it holds no graph.{FileKinds.Hint(bytes.Span)}");
        var context = new ReadContext(what, externalFolder);
        if (proto.TrainingInfo.Count > 0)
            context.Unsupported("it carries training information (training_info)");
        var model = new OnnxModel(GraphDecoder.Decode(proto.Graph, context))
        {
            IrVersion = proto.IrVersion,
            Producer = proto.ProducerName,
            Description = proto.DocString,
        };
        model.Opsets.Clear();
        foreach (var (domain, version) in Opsets(proto.OpsetImport))
            model.Opsets[domain] = version;
        if (model.Opsets.Count == 0)
            context.Damaged("it names no operator set (opset_import): it is cut off, or older than IR version 3");
        foreach (var entry in proto.MetadataProps)
            model.Metadata[entry.Key] = entry.Value;
        model.Functions.AddRange(proto.Functions.Select(f => Function(f, context)));
        context.ThrowIfAny();
        return model;
    }

    /// <summary>Reads a file that holds one tensor, as ONNX's test data does (<c>input_0.pb</c>).</summary>
    /// <exception cref="ModelFileException">The file is missing, damaged or unsafe.</exception>
    /// <exception cref="UnsupportedOpException">The tensor has an element type that OnnxDistill does not read.</exception>
    public static TensorData ReadTensor(string path)
    {
        var what = $"The tensor file '{path}'";
        var bytes = ModelFiles.ReadAll(path, "tensor");
        var context = new ReadContext(what, Path.GetDirectoryName(Path.GetFullPath(path)));
        var proto = Parse(TensorProto.Parser, bytes, what);
        var tensor = TensorDecoder.Decode(proto, $"tensor '{proto.Name}'", context);
        context.ThrowIfAny();
        return tensor ?? throw new InvalidOperationException("A tensor that could not be decoded left no finding.");
    }

    private static T Parse<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes, string what) where T : IMessage<T>
    {
        try
        {
            return parser.WithDiscardUnknownFields(true).ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ModelFileException(
                $"{what} is not an ONNX file, is cut off or damaged ({bytes.Length} bytes).{FileKinds.Hint(bytes)} {e.Message}", e);
        }
    }

    private static OnnxFunction Function(FunctionProto proto, ReadContext context)
    {
        if (proto.Overload.Length > 0)
            context.Unsupported($"function '{proto.Domain}::{proto.Name}' has the overload '{proto.Overload}'");
        var body = new GraphProto { Name = proto.Name, Node = { proto.Node } };
        body.Input.AddRange(proto.Input.Select(static n => new ValueInfoProto { Name = n }));
        body.Output.AddRange(proto.Output.Select(static n => new ValueInfoProto { Name = n }));
        var defaults = AttributeDecoder.Decode(proto.AttributeProto, $"function '{proto.Name}'", context,
            g => GraphDecoder.Decode(g, context));
        return new OnnxFunction(proto.Domain, proto.Name, GraphDecoder.Decode(body, context), [.. proto.Attribute], defaults,
            Opsets(proto.OpsetImport));
    }

    private static SortedDictionary<string, long> Opsets(IEnumerable<OperatorSetIdProto> protos)
    {
        var opsets = new SortedDictionary<string, long>(StringComparer.Ordinal);
        // The standard domain has two spellings. A later entry replaces an earlier one, as in ONNX Runtime: its own training artifacts
        // name the standard domain twice, in two versions.
        foreach (var proto in protos)
            opsets[proto.Domain == "ai.onnx" ? "" : proto.Domain] = proto.Version;
        return opsets;
    }
}
