using System.Buffers.Binary;
using Google.Protobuf;
using OnnxDistill.Data;
using OnnxDistill.Imaging;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

[TestClass]
public sealed class EventFileTests
{
    [TestMethod]
    public void AFileIsAVersionThenScalarsAndImages()
    {
        using var files = new TestFiles();
        var png = new ImageGrid(new SampleSet([1, 4, 6], new float[24])) { Padding = 0 }.ToPng();
        using (var events = EventFile.Create(files.Folder, clock: new StoppedClock()))
        {
            events.Scalar(128_000, "loss/student", 0.25);
            events.Image(300_000_000_000, "samples", png);
        }

        var records = Records(File.ReadAllBytes(Directory.GetFiles(files.Folder).Single()));
        Assert.HasCount(3, records);
        Assert.AreEqual("brain.Event:2", Message(records[0])[3].ToStringUtf8());
        Assert.AreEqual(StoppedClock.Seconds, Number(Message(records[0])[1]));

        var scalar = Message(records[1]);
        Assert.AreEqual(128_000UL, new CodedInputStream(scalar[2].ToByteArray()).ReadUInt64());
        var value = Message(Message(scalar[5])[1]);
        Assert.AreEqual("loss/student", value[1].ToStringUtf8());
        Assert.AreEqual(0.25f, BinaryPrimitives.ReadSingleLittleEndian(value[2].Span));

        var image = Message(records[2]);
        Assert.AreEqual(300_000_000_000UL, new CodedInputStream(image[2].ToByteArray()).ReadUInt64());
        var picture = Message(Message(Message(image[5])[1])[4]);
        CollectionAssert.AreEqual(new byte[] { 4 }, picture[1].ToByteArray());
        CollectionAssert.AreEqual(new byte[] { 6 }, picture[2].ToByteArray());
        CollectionAssert.AreEqual(png, picture[4].ToByteArray());
    }

    [TestMethod]
    public void AResumedRunStartsANewFileThatSaysWhereItGoesOn()
    {
        using var files = new TestFiles();
        EventFile.Create(files.Folder, clock: new StoppedClock()).Dispose();
        EventFile.Create(files.Folder, resumedAt: 5000, new StoppedClock()).Dispose();
        var names = Directory.GetFiles(files.Folder).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal).ToArray();
        CollectionAssert.AreEqual(
            new[] { "events.out.tfevents.1700000000.000.onnxdistill", "events.out.tfevents.1700000000.001.onnxdistill" }, names);
        var start = Message(Records(File.ReadAllBytes(files[names[1]]))[1]);
        Assert.AreEqual(5000UL, new CodedInputStream(start[2].ToByteArray()).ReadUInt64());
        Assert.AreEqual(ByteString.CopyFrom(8, 1), start[7]); // session_log { status: START }
    }

    [TestMethod]
    public void EventsCanBeReadWhileTheRunGoesOn()
    {
        using var files = new TestFiles();
        using var events = EventFile.Create(files.Folder);
        events.Scalar(1, "a", double.NaN);
        using var reader = new FileStream(events.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[reader.Length];
        reader.ReadExactly(bytes);
        Assert.HasCount(2, Records(bytes));
    }

    [TestMethod]
    public void WhatIsNoPngIsRefused()
    {
        using var files = new TestFiles();
        using var events = EventFile.Create(files.Folder);
        Assert.ThrowsExactly<ArgumentException>(() => events.Image(0, "a", [1, 2, 3]));
    }

    /// <summary>Takes the records apart with a checksum of its own, bit by bit.</summary>
    private static List<byte[]> Records(byte[] bytes)
    {
        var records = new List<byte[]>();
        for (var rest = bytes.AsSpan(); !rest.IsEmpty;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
            Assert.AreEqual(MaskedBitwise(rest[..8]), BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
            var data = rest.Slice(12, length);
            Assert.AreEqual(MaskedBitwise(data), BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]));
            records.Add(data.ToArray());
            rest = rest[(16 + length)..];
        }

        return records;
    }

    private static uint MaskedBitwise(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = crc >> 1 ^ ((crc & 1) == 0 ? 0 : 0x82F63B78u);
            }
        }

        crc = ~crc;
        return unchecked((crc >> 15 | crc << 17) + 0xa282ead8u);
    }

    /// <summary>The fields of a message by number, each as its raw bytes without key and length; read by the protobuf library.</summary>
    private static Dictionary<int, ByteString> Message(ByteString bytes) => Message(bytes.ToByteArray());

    private static Dictionary<int, ByteString> Message(byte[] bytes)
    {
        var fields = new Dictionary<int, ByteString>();
        var input = new CodedInputStream(bytes);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            var start = (int)input.Position;
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                fields.Add(WireFormat.GetTagFieldNumber(tag), input.ReadBytes());
                continue;
            }

            input.SkipLastField();
            fields.Add(WireFormat.GetTagFieldNumber(tag), ByteString.CopyFrom(bytes, start, (int)input.Position - start));
        }

        return fields;
    }

    private static double Number(ByteString bytes) => BinaryPrimitives.ReadDoubleLittleEndian(bytes.Span);

    private sealed class StoppedClock : TimeProvider
    {
        public const double Seconds = 1_700_000_000.5;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);
    }
}
