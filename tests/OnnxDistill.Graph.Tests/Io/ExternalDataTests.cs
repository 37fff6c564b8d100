using System.Runtime.InteropServices;
using Google.Protobuf;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Tests.Io;

[TestClass]
public sealed class ExternalDataTests
{
    [TestMethod]
    public void WeightsGoBesideTheModelAndComeBack()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("deep/er/model.onnx");
        OnnxWriter.Write(Models.Everything(), path, new ExternalDataOptions { MinimumBytes = 16 });

        Assert.AreEqual(24, new FileInfo(path + ".data").Length, "the matrix of six floats; the vector of three stays in the model");
        Models.AssertSame(Models.Everything(), OnnxReader.Read(path));
        CollectionAssert.AreEquivalent(new[] { "model.onnx", "model.onnx.data" },
            Directory.GetFiles(folder.File("deep/er")).Select(Path.GetFileName).ToArray(), "no temporary file stays");
    }

    [TestMethod]
    public void TensorsStartAtPages()
    {
        using var folder = new TemporaryFolder();
        OnnxWriter.Write(Models.Everything(), folder.File("m.onnx"), new ExternalDataOptions { MinimumBytes = 0, FileName = "weights.bin" });
        var offsets = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder.File("m.onnx"))).Graph.Initializer
            .Select(static t => t.ExternalData.Single(static e => e.Key == "offset").Value).ToArray();
        CollectionAssert.AreEqual(new[] { "0", "4096" }, offsets);
    }

    [TestMethod]
    public void AModelCanBeWrittenOverTheOneItWasReadFrom()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("m.onnx");
        OnnxWriter.Write(Models.Everything(), path, new ExternalDataOptions { MinimumBytes = 0 });
        var read = OnnxReader.Read(path);
        OnnxWriter.Write(read, path, new ExternalDataOptions { MinimumBytes = 16 });
        Models.AssertSame(Models.Everything(), OnnxReader.Read(path));
        Models.AssertSame(Models.Everything(), read);
    }

    [TestMethod]
    [DataRow("../secret.bin")]
    [DataRow("a/../../secret.bin")]
    [DataRow("..\\secret.bin")]
    [DataRow("/etc/hostname")]
    [DataRow("C:\\secret.bin")]
    [DataRow("")]
    [DataRow(".")]
    [DataRow("bad\0name")]
    [DataRow("absent.bin")]
    public void FilesOutsideTheFolderAreRefused(string location)
    {
        using var folder = new TemporaryFolder();
        folder.File("secret.bin", new byte[24]);
        Directory.CreateDirectory(folder.File("model"));
        File.WriteAllBytes(folder.File("model/m.onnx"), WithExternal(location));
        StringAssert.Contains(Refusal(folder.File("model/m.onnx")), "initializer 'w'");
    }

    [TestMethod]
    public void LinksMayLeadInsideTheFolderOnly()
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
            Assert.Inconclusive("Symbolic links need a privilege on Windows.");
        using var folder = new TemporaryFolder();
        var secret = folder.File("secret.bin", new byte[24]);
        Directory.CreateDirectory(folder.File("model/inside"));
        File.WriteAllBytes(folder.File("model/inside/weights.bin"), new byte[24]);
        File.CreateSymbolicLink(folder.File("model/good.bin"), "inside/weights.bin");
        File.CreateSymbolicLink(folder.File("model/bad.bin"), secret);
        File.CreateSymbolicLink(folder.File("model/chain.bin"), "bad.bin");
        Directory.CreateSymbolicLink(folder.File("model/out"), folder.Path);
        File.CreateSymbolicLink(folder.File("model/circle.bin"), "circle.bin");
        Directory.CreateSymbolicLink(folder.File("shortcut"), folder.File("model"));

        foreach (var location in new[] { "bad.bin", "chain.bin", "out/secret.bin", "circle.bin" })
        {
            File.WriteAllBytes(folder.File("model/m.onnx"), WithExternal(location));
            StringAssert.Contains(Refusal(folder.File("model/m.onnx")), location);
        }
        File.WriteAllBytes(folder.File("model/m.onnx"), WithExternal("good.bin"));
        OnnxReader.Read(folder.File("model/m.onnx"));
        // The model's own folder may be reached through a link.
        OnnxReader.Read(folder.File("shortcut/m.onnx"));
    }

    [TestMethod]
    [DataRow("0", "23", DisplayName = "length of another size than the tensor")]
    [DataRow("1", "24", DisplayName = "runs over the end")]
    [DataRow("9223372036854775807", "24", DisplayName = "offset near the largest number")]
    [DataRow("-1", "24", DisplayName = "negative offset")]
    [DataRow("0", "x", DisplayName = "no number")]
    public void OffsetsAndLengthsAreChecked(string offset, string length)
    {
        using var folder = new TemporaryFolder();
        folder.File("w.bin", new byte[24]);
        StringAssert.Contains(Refusal(folder.File("m.onnx", WithExternal("w.bin", offset, length))), "initializer 'w'");
    }

    [TestMethod]
    public void OffsetAndLengthMayBeLeftOut()
    {
        using var folder = new TemporaryFolder();
        folder.File("w.bin", MemoryMarshal.AsBytes<float>([1, 2, 3, 4, 5, 6]).ToArray());
        var data = OnnxReader.Read(folder.File("m.onnx", WithExternal("w.bin"))).Graph.Initializers[0].Constant;
        Models.AssertSame(TensorData.Of([1f, 2, 3, 4, 5, 6], 2, 3), data, "w");
    }

    [TestMethod]
    public void DataIsLoadedWhenUsedAndItsLossIsExplained()
    {
        using var folder = new TemporaryFolder();
        folder.File("w.bin", new byte[24]);
        var data = OnnxReader.Read(folder.File("m.onnx", WithExternal("w.bin"))).Graph.Initializers[0].Constant;
        Assert.IsNotNull(data);
        File.Delete(folder.File("w.bin"));
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => _ = data.Memory).Message, "has changed since");
    }

    [TestMethod]
    public void BytesWithoutAFolderHaveNoExternalData() =>
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => OnnxReader.Read(WithExternal("w.bin"))).Message, "without a folder");

    [TestMethod]
    [DataRow("../w.bin")]
    [DataRow("sub/w.bin")]
    [DataRow("..")]
    [DataRow("m.onnx")]
    public void TheExternalFileIsAPlainNameOfItsOwn(string name)
    {
        using var folder = new TemporaryFolder();
        Assert.ThrowsExactly<ModelFileException>(() => OnnxWriter.Write(Models.Everything(), folder.File("m.onnx"), new ExternalDataOptions { FileName = name }));
        Assert.IsEmpty(Directory.GetFiles(folder.Path));
    }

    [TestMethod]
    public void AFailedWriteLeavesTheOldFile()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("m.onnx");
        OnnxWriter.Write(Models.Everything(), path);
        var broken = Models.Everything();
        broken.Graph.Initializers[1].Constant = null;
        Assert.ThrowsExactly<InvalidOperationException>(() => OnnxWriter.Write(broken, path, new ExternalDataOptions { MinimumBytes = 0 }));
        Models.AssertSame(Models.Everything(), OnnxReader.Read(path));
        Assert.HasCount(1, Directory.GetFiles(folder.Path), "no temporary file stays");
    }

    [TestMethod]
    public void PlacesThatCannotBeWrittenAreNamed()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("file", []);
        foreach (var path in new[] { folder.Path, Path.Combine(file, "m.onnx") })
            StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => OnnxWriter.Write(Models.Everything(), path)).Message, path);
    }

    private static string Refusal(string path) => Assert.ThrowsExactly<ModelFileException>(() => OnnxReader.Read(path)).Message;

    private static byte[] WithExternal(string location, string? offset = null, string? length = null)
    {
        var proto = ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(Models.Everything()));
        var w = proto.Graph.Initializer[0];
        w.ClearRawData();
        w.DataLocation = TensorProto.Types.DataLocation.External;
        foreach (var (key, value) in new[] { ("location", location), ("offset", offset), ("length", length) })
        {
            if (value is not null)
                w.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        }
        return proto.ToByteArray();
    }
}
