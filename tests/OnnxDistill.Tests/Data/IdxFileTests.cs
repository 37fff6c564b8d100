using System.IO.Compression;
using System.Security.Cryptography;
using OnnxDistill.Data;
using OnnxDistill.Graph;

namespace OnnxDistill.Tests.Data;

[TestClass]
public sealed class IdxFileTests
{
    // Two images of 1 x 3 pixels.
    private static readonly byte[] TwoImages = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 51, 102, 153, 204, 255];

    [TestMethod]
    public void BytesBecomeMinusOneToOne()
    {
        using var files = new TestFiles();
        var images = IdxFile.ReadImages(files.Write("images", TwoImages));
        CollectionAssert.AreEqual(new[] { 1, 1, 3 }, images.Dims.ToArray());
        Assert.AreEqual(2, images.Count);
        float[] expected = [-1, -0.6f, -0.2f, 0.2f, 0.6f, 1];
        for (var i = 0; i < expected.Length; i++)
        {
            // Two roundings of a number below 2.
            Assert.AreEqual(expected[i], images.Data[i], 2e-7f);
        }
    }

    [TestMethod]
    public void GzipIsToldByItsBytesNotByItsName()
    {
        using var files = new TestFiles();
        var labels = IdxFile.ReadLabels(files.Write("labels", Gzip([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 9])));
        CollectionAssert.AreEqual(new byte[] { 7, 2, 9 }, labels);
    }

    [TestMethod]
    [DataRow("t10k-images-idx3-ubyte.gz", 10000, 28, "2646ac647ad5339dbf082846283269ea")]
    [DataRow("train-images-idx3-ubyte.gz", 60000, 28, "6bbc9ace898e44ae57da46a324031adb")]
    public void MnistIsReadToTheLastByte(string name, int count, int size, string md5)
    {
        var file = IdxFile.Read(TestFiles.Shared(Path.Combine("mnist", name)));
        CollectionAssert.AreEqual(new[] { count, size, size }, file.Dims.ToArray());

        // The published sum is that of the whole file, header included.
        byte[] header = [0, 0, 8, 3, .. file.Dims.SelectMany(static dim => new[] { (byte)0, (byte)0, (byte)(dim >> 8), (byte)dim })];
#pragma warning disable CA5351 // MD5 only compares with the published sum.
        Assert.AreEqual(md5, Convert.ToHexStringLower(MD5.HashData([.. header, .. file.Data])));
#pragma warning restore CA5351
    }

    [TestMethod]
    [DataRow(new byte[] { }, "truncated", DisplayName = "empty file")]
    [DataRow(new byte[] { 0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 1, 5 }, "89504E47", DisplayName = "another format")]
    [DataRow(new byte[] { 0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0 }, "00000D01", DisplayName = "floats")]
    [DataRow(new byte[] { 0, 0, 8, 0 }, "00000800", DisplayName = "no dimensions")]
    [DataRow(new byte[] { 0, 0, 8, 1, 0, 0 }, "the dimensions", DisplayName = "cut in the header")]
    [DataRow(new byte[] { 0, 0, 8, 1, 0, 0, 0, 3, 1, 2 }, "expected 3 bytes for the data, found 2", DisplayName = "cut in the data")]
    [DataRow(new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 1, 2 }, "goes on after the 1 bytes", DisplayName = "too long")]
    [DataRow(new byte[] { 0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff, 1 }, "4294967295", DisplayName = "absurd dimension")]
    [DataRow(new byte[] { 0, 0, 8, 1, 0x7f, 0, 0, 0, 1 }, "truncated", DisplayName = "claims 2 GB, has a byte")]
    public void DamageIsNamed(byte[] bytes, string inMessage)
    {
        using var files = new TestFiles();
        foreach (var path in new[] { files.Write("plain", bytes), files.Write("zipped.gz", Gzip(bytes)) })
        {
            Expect.Error<ModelFileException>(() => IdxFile.Read(path), inMessage, path);
        }
    }

    [TestMethod]
    public void ACutGzipIsAnErrorNotAShortFile()
    {
        using var files = new TestFiles();
        var whole = Gzip([0, 0, 8, 1, 0, 0, 8, 0, .. Enumerable.Range(0, 2048).Select(static i => (byte)(i * i >> 3))]);
        Assert.ThrowsExactly<ModelFileException>(() => IdxFile.Read(files.Write("cut.gz", whole[..(whole.Length / 2)])));
    }

    [TestMethod]
    public void ImagesAreNotTakenForLabels()
    {
        using var files = new TestFiles();
        var path = files.Write("images", TwoImages);
        Expect.Error<ModelFileException>(() => IdxFile.ReadLabels(path), "3 dimension(s), 2 x 1 x 3");
    }

    [TestMethod]
    public void AMissingFileIsNamed() =>
        Expect.Error<ModelFileException>(static () => IdxFile.Read("no-such-file"), "no-such-file");

    private static byte[] Gzip(byte[] bytes)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return zipped.ToArray();
    }
}
