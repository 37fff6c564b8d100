using System.Globalization;
using Google.Protobuf;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Tests.Io;

[TestClass]
public sealed class TensorEncodingTests
{
    /// <summary>One element each, in the typed field that the format prescribes; the little-endian bytes are written out by hand.</summary>
    [TestMethod]
    [DataRow(ElementType.Float32, "0000C03F", DisplayName = "float32: 1.5")]
    [DataRow(ElementType.Float64, "000000000000F83F", DisplayName = "float64: 1.5")]
    [DataRow(ElementType.Float16, "003E", DisplayName = "float16: 1.5 as bits")]
    [DataRow(ElementType.BFloat16, "C03F", DisplayName = "bfloat16: 1.5 as bits")]
    [DataRow(ElementType.Int64, "FEFFFFFFFFFFFFFF", DisplayName = "int64: -2")]
    [DataRow(ElementType.Int32, "FEFFFFFF", DisplayName = "int32: -2")]
    [DataRow(ElementType.Int16, "FEFF", DisplayName = "int16: -2")]
    [DataRow(ElementType.Int8, "FE", DisplayName = "int8: -2")]
    [DataRow(ElementType.UInt64, "FEFFFFFFFFFFFFFF", DisplayName = "uint64: 2^64 - 2")]
    [DataRow(ElementType.UInt32, "FEFFFFFF", DisplayName = "uint32: 2^32 - 2")]
    [DataRow(ElementType.UInt16, "FEFF", DisplayName = "uint16: 65534")]
    [DataRow(ElementType.UInt8, "FE", DisplayName = "uint8: 254")]
    [DataRow(ElementType.Bool, "01", DisplayName = "bool: true")]
    public void TypedFieldsDecode(ElementType type, string bytes)
    {
        var proto = new TensorProto { DataType = (int)type, Dims = { 1 } };
        switch (type)
        {
            case ElementType.Float32: proto.FloatData.Add(1.5f); break;
            case ElementType.Float64: proto.DoubleData.Add(1.5); break;
            case ElementType.Float16: proto.Int32Data.Add(0x3E00); break;
            case ElementType.BFloat16: proto.Int32Data.Add(0x3FC0); break;
            case ElementType.Int64: proto.Int64Data.Add(-2); break;
            case ElementType.Int32 or ElementType.Int16 or ElementType.Int8: proto.Int32Data.Add(-2); break;
            case ElementType.UInt64: proto.Uint64Data.Add(ulong.MaxValue - 1); break;
            case ElementType.UInt32: proto.Uint64Data.Add(uint.MaxValue - 1); break;
            case ElementType.UInt16: proto.Int32Data.Add(65534); break;
            case ElementType.UInt8: proto.Int32Data.Add(254); break;
            case ElementType.Bool: proto.Int32Data.Add(1); break;
            default: throw new NotSupportedException(type.ToString());
        }
        AssertReads(proto, bytes);
        AssertReads(new TensorProto { DataType = (int)type, Dims = { 1 }, RawData = ByteString.CopyFrom(Convert.FromHexString(bytes)) }, bytes);
    }

    [TestMethod]
    public void ScalarsAndEmptyTensorsDecode()
    {
        AssertReads(new TensorProto { DataType = 1, FloatData = { 1.5f } }, "0000C03F");
        AssertReads(new TensorProto { DataType = 7, Dims = { 0 } }, "");
        AssertReads(new TensorProto { DataType = 1, Dims = { 3, 0 }, RawData = ByteString.Empty }, "");
    }

    [TestMethod]
    public void PackedAndUnpackedListsDecode()
    {
        using var folder = new TemporaryFolder();
        // data_type (field 2) = 7; dims (field 1) = 2, once as a single number and once packed; int64_data (field 7) = 5, 6, packed and not.
        foreach (var hex in new[] { "1007" + "0802" + "3A020506", "1007" + "0A0102" + "38053806" })
        {
            var tensor = OnnxReader.ReadTensor(folder.File("t.pb", Convert.FromHexString(hex)));
            CollectionAssert.AreEqual(new long[] { 5, 6 }, tensor.ToLongs());
        }
    }

    [TestMethod]
    [DataRow(1, "2", 4, "bytes", DisplayName = "too few bytes")]
    [DataRow(1, "1", 8, "bytes", DisplayName = "too many bytes")]
    [DataRow(1, "-1", 4, "negative", DisplayName = "negative extent")]
    [DataRow(1, "4611686018427387904,4611686018427387904", 4, "2 GiB", DisplayName = "element count beyond 64 bits")]
    [DataRow(1, "4611686018427387904,4611686018427387904,0", 0, "2 GiB", DisplayName = "the same with a zero behind")]
    [DataRow(1, "1099511627776", 4, "2 GiB", DisplayName = "element count beyond memory")]
    [DataRow(0, "1", 4, "element type", DisplayName = "no element type")]
    [DataRow(99, "1", 4, "element type", DisplayName = "unknown element type")]
    public void ContradictoryTensorsAreRefused(int type, string dims, int byteCount, string said)
    {
        var proto = new TensorProto { DataType = type, RawData = ByteString.CopyFrom(new byte[byteCount]) };
        proto.Dims.AddRange(dims.Split(',').Select(static d => long.Parse(d, CultureInfo.InvariantCulture)));
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => Read(proto)).Message, said);
    }

    [TestMethod]
    public void EightBitFloatsAreUnsupportedByName() =>
        StringAssert.Contains(Assert.ThrowsExactly<UnsupportedOpException>(() => Read(new TensorProto { DataType = 17, Dims = { 1 } })).Message, "float8e4m3fn");

    [TestMethod]
    public void BinaryTextIsNotReplacedSilently()
    {
        var proto = new TensorProto { DataType = 8, Dims = { 1 }, StringData = { ByteString.CopyFrom(0xFF, 0xFE) } };
        StringAssert.Contains(Assert.ThrowsExactly<UnsupportedOpException>(() => Read(proto)).Message, "UTF-8");
    }

    private static void AssertReads(TensorProto proto, string bytes) => Assert.AreEqual(bytes, Convert.ToHexString(Read(proto).Bytes));

    private static TensorData Read(TensorProto proto)
    {
        using var folder = new TemporaryFolder();
        return OnnxReader.ReadTensor(folder.File("t.pb", proto.ToByteArray()));
    }
}
