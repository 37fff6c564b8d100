using System.IO.Compression;
using System.Text;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Tests.Io;

[TestClass]
public sealed class NpyTests
{
    /// <summary>What numpy.save writes for numpy.array([[1.5, -2.0]], dtype="float32"): magic, version 1.0, header length 0x76, the header
    /// padded with blanks to 128 bytes in all, the data.</summary>
    private static readonly byte[] Handwritten = ByHand("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", "0000C03F000000C0");

    private const string NumpyArchive = "UEsDBC0AAAAIAAAAIQD9z6UI//////////8QABQAbW9kZWwvY29udjowLm5weQEAEACIAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1" +
        "RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkahjoKRpo6CrUKZAMuBoYD9gxAAgBQSwMELQAAAAgAAAAhADW0OpP//////////woAFABzY2FsYXIubnB5AQAQAIgAAAAAAAAA" +
        "RwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqaOgq1ChQBLgYwYHEAAFBLAwQtAAAACAAAACEA7hm7Xf" +
        "//////////CAAUAG1hc2subnB5AQAQAIIAAAAAAAAARgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBek2SorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpG" +
        "Opo6CrUKFAAuRgYAUEsDBC0AAAAIAAAAIQDWMRRx//////////8IABQAaGFsZi5ucHkBABAAggAAAAAAAABGAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqSuo6" +
        "Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6mjoKtQoUAC6GHQBQSwECLQMtAAAACAAAACEA/c+lCE0AAACIAAAAEAAAAAAAAAAAAAAAgAEAAAAAbW9kZWwvY29u" +
        "djowLm5weVBLAQItAy0AAAAIAAAAIQA1tDqTRwAAAIgAAAAKAAAAAAAAAAAAAACAAY8AAABzY2FsYXIubnB5UEsBAi0DLQAAAAgAAAAhAO4Zu11GAAAAggAAAAgAAAAAAA" +
        "AAAAAAAIABEgEAAG1hc2subnB5UEsBAi0DLQAAAAgAAAAhANYxFHFGAAAAggAAAAgAAAAAAAAAAAAAAIABkgEAAGhhbGYubnB5UEsFBgAAAAAEAAQA4gAAABICAAAAAA==";

    [TestMethod]
    public void HandwrittenBytesAreReadAndWrittenExactly()
    {
        var tensor = NpyFile.FromBytes(Handwritten);
        Models.AssertSame(TensorData.Of([1.5f, -2f], 1, 2), tensor, "npy");
        CollectionAssert.AreEqual(Handwritten, NpyFile.ToBytes(tensor));
    }

    [TestMethod]
    [DataRow("()", new long[0], "2A00000000000000")]
    [DataRow("(1,)", new long[] { 1 }, "2A00000000000000")]
    [DataRow("(0, 3)", new long[] { 0, 3 }, "")]
    public void ScalarsVectorsAndEmptyArraysAreRead(string shape, long[] dims, string data)
    {
        var bytes = ByHand($"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}", data);
        var tensor = NpyFile.FromBytes(bytes);
        CollectionAssert.AreEqual(dims, tensor.Dims);
        Assert.AreEqual(data, Convert.ToHexString(tensor.Bytes));
        CollectionAssert.AreEqual(bytes, NpyFile.ToBytes(tensor));
    }

    [TestMethod]
    [DataRow(ElementType.Float32, "<f4")]
    [DataRow(ElementType.Float64, "<f8")]
    [DataRow(ElementType.Float16, "<f2")]
    [DataRow(ElementType.Int64, "<i8")]
    [DataRow(ElementType.Int32, "<i4")]
    [DataRow(ElementType.UInt8, "|u1")]
    [DataRow(ElementType.Bool, "|b1")]
    public void EveryElementTypeHasNumpysName(ElementType type, string descr)
    {
        var tensor = new TensorData(type, [2, 1], new byte[2 * type.Size()]);
        var bytes = NpyFile.ToBytes(tensor);
        StringAssert.Contains(Encoding.ASCII.GetString(bytes), $"'descr': '{descr}'");
        Models.AssertSame(tensor, NpyFile.FromBytes(bytes), descr);
    }

    [TestMethod]
    public void VersionTwoHasAWiderHeaderLength()
    {
        byte[] bytes = [.. Handwritten[..6], 2, 0, Handwritten[8], Handwritten[9], 0, 0, .. Handwritten[10..]];
        Models.AssertSame(TensorData.Of([1.5f, -2f], 1, 2), NpyFile.FromBytes(bytes), "npy 2.0");
    }

    [TestMethod]
    [DataRow("{'descr': '>c8', 'fortran_order': False, 'shape': (1,), }", "'>c8'")]
    [DataRow("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "'|O'")]
    [DataRow("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "not understood")]
    [DataRow("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "12 bytes")]
    [DataRow("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "extents")]
    [DataRow("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "extents")]
    [DataRow("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904, 0), }", "found 8")]
    [DataRow("", "not understood")]
    public void OtherArraysAreRefusedWithACure(string header, string said) =>
        StringAssert.Contains(Refusal(ByHand(header, "0000C03F000000C0")), said);

    [TestMethod]
    public void FortranOrderOfAVectorIsTheSame() => Models.AssertSame(TensorData.Of([1.5f, -2f], 1, 2),
        NpyFile.FromBytes(ByHand("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", "0000C03F000000C0")), "npy");

    [TestMethod]
    public void BigEndianElementsAreTurned() => Models.AssertSame(TensorData.Of([1.5f, -2f], 1, 2),
        NpyFile.FromBytes(ByHand("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }", "3FC00000C0000000")), "npy");

    [TestMethod]
    public void FortranOrderIsBroughtToC()
    {
        // numpy.asfortranarray(numpy.arange(12, dtype="|u1").reshape(2, 3, 2)): the first axis runs fastest.
        var read = NpyFile.FromBytes(ByHand("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", "00060208040A01070309050B"));
        Models.AssertSame(new TensorData(ElementType.UInt8, [2, 3, 2], Enumerable.Range(0, 12).Select(static i => (byte)i).ToArray()), read, "npy");
    }

    [TestMethod]
    public void ArchivesWithZip64HeadersAsNumpyWritesThemAreRead()
    {
        // Python's zipfile with force_zip64, as numpy.savez opens every entry: names "model/conv:0", "scalar", "mask", "half".
        using var folder = new TemporaryFolder();
        var read = NpzFile.Read(folder.File("numpy.npz", Convert.FromBase64String(NumpyArchive)));
        CollectionAssert.AreEqual(new[] { "model/conv:0", "scalar", "mask", "half" }, read.Keys.ToArray());
        Models.AssertSame(TensorData.Of([1.5f, -2f], 1, 2), read["model/conv:0"], "float32");
        Models.AssertSame(TensorData.Of([2.5], []), read["scalar"], "0-d");
        Models.AssertSame(TensorData.Of([true, false], 2), read["mask"], "bool");
        Assert.AreEqual(-0.5, read["half"].ToDoubles().Single());
    }

    [TestMethod]
    public void EveryTruncationIsRefused()
    {
        for (var length = 0; length < Handwritten.Length; length++)
            Refusal(Handwritten[..length]);
    }

    [TestMethod]
    public void ArchivesKeepNamesAndOrder()
    {
        using var folder = new TemporaryFolder();
        var arrays = new OrderedDictionary<string, TensorData> { ["z/w"] = TensorData.Of([1f, 2], 2), ["a"] = TensorData.Of([3L], []) };
        foreach (var compression in new[] { CompressionLevel.NoCompression, CompressionLevel.Optimal })
        {
            NpzFile.Write(folder.File("a.npz"), arrays, compression);
            var read = NpzFile.Read(folder.File("a.npz"));
            CollectionAssert.AreEqual(new[] { "z/w", "a" }, read.Keys.ToArray());
            foreach (var (name, tensor) in arrays)
                Models.AssertSame(tensor, read[name], name);
        }
    }

    [TestMethod]
    public void TheSameArraysGiveTheSameArchive()
    {
        using var folder = new TemporaryFolder();
        var arrays = new Dictionary<string, TensorData> { ["a"] = TensorData.Of([1f], 1) };
        NpzFile.Write(folder.File("a.npz"), arrays);
        NpzFile.Write(folder.File("b.npz"), arrays);
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("a.npz")), File.ReadAllBytes(folder.File("b.npz")));
        StringAssert.Contains(Encoding.Latin1.GetString(File.ReadAllBytes(folder.File("a.npz"))), "\u0093NUMPY", "stored, not deflated");
    }

    [TestMethod]
    public void DamagedArchivesAreRefused()
    {
        using var folder = new TemporaryFolder();
        NpzFile.Write(folder.File("a.npz"), new Dictionary<string, TensorData> { ["a"] = TensorData.Of([1f], 1) });
        var bytes = File.ReadAllBytes(folder.File("a.npz"));
        for (var length = 0; length < bytes.Length; length++)
            Assert.ThrowsExactly<ModelFileException>(() => NpzFile.Read(folder.File("cut.npz", bytes[..length])));
        Assert.ThrowsExactly<ModelFileException>(() => NpzFile.Read(folder.File("absent.npz")));
        Assert.ThrowsExactly<ModelFileException>(() => NpzFile.Read(folder.Path));
    }

    [TestMethod]
    public void NumpyHasNoBFloat16() => Assert.ThrowsExactly<ModelFileException>(() => NpyFile.ToBytes(new TensorData(ElementType.BFloat16, [1], new byte[2])));

    private static byte[] ByHand(string header, string data)
    {
        const int HeaderLength = 0x76;
        return [0x93, .. "NUMPY"u8, 1, 0, HeaderLength, 0, .. Encoding.ASCII.GetBytes(header.PadRight(HeaderLength - 1)), (byte)'\n', .. Convert.FromHexString(data)];
    }

    private static string Refusal(byte[] bytes) => Assert.ThrowsExactly<ModelFileException>(() => NpyFile.FromBytes(bytes)).Message;
}
