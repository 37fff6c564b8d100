using System.Runtime.InteropServices;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Turns the file format's tensors, in any of their encodings, into <see cref="TensorData"/>.</summary>
internal static class TensorDecoder
{
    /// <summary>Element types that the format has and the graph model lacks, by number.</summary>
    private static readonly Dictionary<int, string> UnsupportedTypes = new()
    {
        [14] = "complex64",
        [15] = "complex128",
        [17] = "float8e4m3fn",
        [18] = "float8e4m3fnuz",
        [19] = "float8e5m2",
        [20] = "float8e5m2fnuz",
        [21] = "uint4",
        [22] = "int4",
        [23] = "float4e2m1",
        [24] = "float8e8m0",
        [25] = "uint2",
        [26] = "int2",
    };

    /// <summary>The tensor, or null with the reason noted.</summary>
    public static TensorData? Decode(TensorProto proto, string where, ReadContext context)
    {
        var type = (ElementType)proto.DataType;
        if (UnsupportedTypes.TryGetValue(proto.DataType, out var name))
        {
            context.Unsupported($"{where} has elements of type {name}");
            return null;
        }
        if (type == ElementType.Undefined || !Enum.IsDefined(type))
            return Refuse($"its element type {proto.DataType} does not exist");
        if (!TryCount(proto.Dims, out var count) || count > int.MaxValue / Math.Max(1, type.Size()))
            return Refuse($"its shape [{string.Join(", ", proto.Dims)}] is negative somewhere or holds 2 GiB and more");
        var bytes = count * type.Size();
        long[] dims = [.. proto.Dims];
        if (proto.DataLocation == TensorProto.Types.DataLocation.External)
            return ExternalData.Decode(proto, type, bytes, where, context);
        if (type == ElementType.Text)
        {
            return proto.StringData.Count == count
                ? Utf8Text.Decode(proto.StringData, where, context) is { } texts ? new TensorData(dims, texts) : null
                : Refuse($"its shape [{string.Join(", ", dims)}] needs {count} texts, found {proto.StringData.Count}");
        }
        if (proto.HasRawData)
        {
            return proto.RawData.Length == bytes
                ? new TensorData(type, dims, proto.RawData.Memory)
                : Refuse($"{type} and the shape [{string.Join(", ", dims)}] need {bytes} bytes, found {proto.RawData.Length}");
        }
        var data = Typed(proto, type);
        return data.Length == bytes
            ? new TensorData(type, dims, data)
            : Refuse($"its shape [{string.Join(", ", dims)}] needs {count} elements, found {data.Length / type.Size()}");

        TensorData? Refuse(string reason)
        {
            context.Damaged($"{where}: {reason}");
            return null;
        }
    }

    /// <summary>The bytes of a tensor that keeps its elements in the field of its type.</summary>
    private static byte[] Typed(TensorProto proto, ElementType type) => type switch
    {
        ElementType.Float32 => Bytes<float>([.. proto.FloatData]),
        ElementType.Float64 => Bytes<double>([.. proto.DoubleData]),
        ElementType.Int64 => Bytes<long>([.. proto.Int64Data]),
        ElementType.UInt64 => Bytes<ulong>([.. proto.Uint64Data]),
        ElementType.UInt32 => Bytes<uint>([.. proto.Uint64Data.Select(static u => (uint)u)]),
        ElementType.Int32 => Bytes<int>([.. proto.Int32Data]),
        // The narrower types, both 16-bit floats (as their bit patterns) and bool all travel in int32_data.
        _ when type.Size() == 2 => Bytes<ushort>([.. proto.Int32Data.Select(static i => (ushort)i)]),
        _ => [.. proto.Int32Data.Select(static i => (byte)i)],
    };

    private static byte[] Bytes<T>(T[] elements) where T : unmanaged => MemoryMarshal.AsBytes(elements.AsSpan()).ToArray();

    private static bool TryCount(IEnumerable<long> dims, out long count)
    {
        count = 1;
        foreach (var dim in dims)
        {
            // TensorData multiplies the extents in this order, so a zero at the end does not excuse an overflow before it.
            var product = (Int128)count * dim;
            if (dim < 0 || product > long.MaxValue)
                return false;
            count = (long)product;
        }
        return true;
    }
}
