using Google.Protobuf;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Writes ONNX files. Stop-gradient markers are erased on the way: consumers of a marked value use the value itself.</summary>
public static class OnnxWriter
{
    /// <summary>Writes the model under that path, whole or not at all; the folder is created. Without <paramref name="external"/> the
    /// weights lie in the file itself unless they exceed what one ONNX file can hold (1.9 GB).</summary>
    /// <remarks>Tensors that were read from an external file are loaded into memory, so a model may be written over the one it came
    /// from.</remarks>
    /// <exception cref="ModelFileException">The place cannot be written to, or the external file's name is not a plain file
    /// name.</exception>
    public static void Write(OnnxModel model, string path, ExternalDataOptions? external = null, WriteOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (external is null && InitializerBytes(model.Graph) > TensorEncoder.MostInlineBytes)
            external = new ExternalDataOptions();
        if (external is null)
        {
            var proto = Encode(model, new TensorEncoder(), options);
            PendingFile.Write(path, proto.WriteTo);
            return;
        }
        var fileName = external.FileName ?? Path.GetFileName(path) + ".data";
        if (fileName is "" or "." or ".." || fileName.AsSpan().ContainsAny('/', '\\') || fileName == Path.GetFileName(path))
            throw new ModelFileException($"The external file's name '{fileName}' must be a plain file name other than the model's own.");
        try
        {
            using var data = new PendingFile(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path)) ?? "", fileName));
            var proto = Encode(model, new TensorEncoder(data.Stream, fileName, external.MinimumBytes), options);
            using var file = new PendingFile(path);
            proto.WriteTo(file.Stream);
            // Data first: a model file never names data that is not there.
            data.Commit();
            file.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PendingFile.CannotWrite(path, e);
        }
    }

    /// <summary>The content of a model file with all its weights.</summary>
    /// <exception cref="ModelFileException">The weights exceed what one ONNX file can hold (1.9 GB).</exception>
    public static byte[] ToBytes(OnnxModel model, WriteOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Encode(model, new TensorEncoder(), options).ToByteArray();
    }

    private static ModelProto Encode(OnnxModel model, TensorEncoder tensors, WriteOptions? options)
    {
        options ??= new WriteOptions();
        var proto = new ModelProto
        {
            IrVersion = model.IrVersion,
            ProducerName = model.Producer,
            DocString = model.Description,
            Graph = GraphEncoder.Encode(model.Graph, tensors, options),
        };
        // Before version 4 every initializer had to be listed as an input too.
        if (model.IrVersion < 4)
            proto.Graph.Input.AddRange(model.Graph.Initializers.Select(ValueTypes.Describe));
        proto.OpsetImport.AddRange(Opsets(model.Opsets));
        proto.MetadataProps.AddRange(model.Metadata.Select(static p => new StringStringEntryProto { Key = p.Key, Value = p.Value }));
        proto.Functions.AddRange(model.Functions.Select(f => Encode(f, tensors)));
        return proto;
    }

    private static FunctionProto Encode(OnnxFunction function, TensorEncoder tensors)
    {
        // A body's values have no types, so there is nothing that value_info could say.
        var body = GraphEncoder.Encode(function.Body, tensors, new WriteOptions());
        var proto = new FunctionProto { Name = function.Name, Domain = function.Domain, Node = { body.Node } };
        proto.Attribute.AddRange(function.Attributes);
        proto.Input.AddRange(function.Body.Inputs.Select(static v => v.Name));
        proto.Output.AddRange(function.Body.Outputs.Select(static v => v.Name));
        proto.AttributeProto.AddRange(function.Defaults.Select(a => AttributeEncoder.Encode(a.Key, a.Value, tensors,
            g => GraphEncoder.Encode(g, tensors, new WriteOptions()))));
        proto.OpsetImport.AddRange(Opsets(function.Opsets));
        return proto;
    }

    private static IEnumerable<OperatorSetIdProto> Opsets(IEnumerable<KeyValuePair<string, long>> opsets) =>
        opsets.Where(static p => p.Key != StopGradientMarker.Domain).OrderBy(static p => p.Key, StringComparer.Ordinal)
            .Select(static p => new OperatorSetIdProto { Domain = p.Key, Version = p.Value });

    private static long InitializerBytes(OnnxGraph graph) =>
        graph.Initializers.Sum(static v => v.Constant is { } data ? data.Type.Size() * data.ElementCount : 0);
}
