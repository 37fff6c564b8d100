using System.Globalization;
using Google.Protobuf;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Turns <see cref="TensorData"/> into the file format's tensors: raw little-endian bytes, in the model or in an external
/// file.</summary>
/// <param name="external">The external file, or null to keep everything in the model.</param>
/// <param name="externalName">Its name as the model file gives it.</param>
/// <param name="minimumBytes">Smaller tensors stay in the model.</param>
internal sealed class TensorEncoder(Stream? external = null, string externalName = "", long minimumBytes = 0)
{
    /// <summary>ONNX asks for offsets at multiples of a memory page, so that readers can map the file.</summary>
    private const int Alignment = 4096;

    /// <summary>Protobuf cannot hold 2 GiB; this leaves room for the graph itself.</summary>
    public const long MostInlineBytes = 1_900_000_000;

    private long _inlineBytes;

    /// <summary>The tensor, which may go to the external file.</summary>
    public TensorProto Initializer(Value value)
    {
        var data = value.Constant ?? throw new InvalidOperationException($"The initializer '{value.Name}' has no data.");
        if (external is null || data.Strings is not null || data.Memory.Length < Math.Max(1, minimumBytes))
            return Inline(data, value.Name);
        var proto = Start(data, value.Name);
        external.Write(new byte[(Alignment - external.Position % Alignment) % Alignment]);
        proto.DataLocation = TensorProto.Types.DataLocation.External;
        AddEntry("location", externalName);
        AddEntry("offset", external.Position.ToString(CultureInfo.InvariantCulture));
        AddEntry("length", data.Memory.Length.ToString(CultureInfo.InvariantCulture));
        external.Write(data.Bytes);
        return proto;

        void AddEntry(string key, string text) => proto.ExternalData.Add(new StringStringEntryProto { Key = key, Value = text });
    }

    /// <summary>The tensor with its bytes in the model.</summary>
    /// <exception cref="ModelFileException">The model would grow beyond what protobuf holds.</exception>
    public TensorProto Inline(TensorData data, string name)
    {
        var proto = Start(data, name);
        if (data.Strings is { } strings)
        {
            proto.StringData.AddRange(strings.Select(ByteString.CopyFromUtf8));
            return proto;
        }
        _inlineBytes += data.Memory.Length;
        if (_inlineBytes > MostInlineBytes)
        {
            throw new ModelFileException($"The model's tensors take more than {MostInlineBytes} bytes, which one ONNX file cannot hold. "
                + "Write it to a path with external data.");
        }
        // The writer reads the bytes once, right away, so that no copy is needed.
        proto.RawData = UnsafeByteOperations.UnsafeWrap(data.Memory);
        return proto;
    }

    private static TensorProto Start(TensorData data, string name)
    {
        var proto = new TensorProto { DataType = (int)data.Type, Dims = { data.Dims } };
        if (name.Length > 0)
            proto.Name = name;
        return proto;
    }
}
