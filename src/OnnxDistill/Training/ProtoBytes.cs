using System.Buffers.Binary;
using System.Text;

namespace OnnxDistill.Training;

/// <summary>A protobuf message under construction: the four wire forms that event files use. (The library's own protobuf classes stay
/// inside OnnxDistill.Graph, and the TensorBoard messages are three small ones.)</summary>
internal sealed class ProtoBytes
{
    private readonly MemoryStream _bytes = new();

    /// <summary>What has been written so far.</summary>
    public ReadOnlySpan<byte> Written => _bytes.GetBuffer().AsSpan(0, (int)_bytes.Length);

    /// <summary>An integer or enum field.</summary>
    public ProtoBytes Varint(int field, long value)
    {
        Key(field, 0);
        Base128((ulong)value);
        return this;
    }

    /// <summary>A double field.</summary>
    public ProtoBytes Double(int field, double value)
    {
        Key(field, 1);
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>A bytes field.</summary>
    public ProtoBytes Bytes(int field, ReadOnlySpan<byte> value)
    {
        Key(field, 2);
        Base128((ulong)value.Length);
        _bytes.Write(value);
        return this;
    }

    /// <summary>A string field.</summary>
    public ProtoBytes Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>A message field.</summary>
    public ProtoBytes Message(int field, ProtoBytes value) => Bytes(field, value.Written);

    /// <summary>A float field.</summary>
    public ProtoBytes Float(int field, float value)
    {
        Key(field, 5);
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }

    private void Key(int field, int wireType) => Base128((ulong)(field << 3 | wireType));

    private void Base128(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.WriteByte((byte)(value | 0x80));
        }

        _bytes.WriteByte((byte)value);
    }
}
