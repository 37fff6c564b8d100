using Google.Protobuf;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Io.Proto;

namespace OnnxDistill.Graph.Tests.Io;

[TestClass]
public sealed class DamagedFileTests
{
    [TestMethod]
    public void MissingFilesAndFoldersAreNamed()
    {
        using var folder = new TemporaryFolder();
        StringAssert.Contains(Refusal(() => OnnxReader.Read(folder.File("absent.onnx"))), "absent.onnx");
        StringAssert.Contains(Refusal(() => OnnxReader.Read(folder.Path)), "found a folder");
    }

    [TestMethod]
    [DataRow("", "is empty")]
    [DataRow("\u0089PNG\r\n\u001a\n\0\0\0\rIHDR", "PNG")]
    [DataRow("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull")]
    [DataRow("PK\u0003\u0004\u0014\0\0\0", "zip")]
    [DataRow("<!DOCTYPE html><html></html>", "web page")]
    [DataRow("{\"a\": 1}", "JSON")]
    [DataRow("Once upon a time there was no model here.", "not an ONNX")]
    public void OtherKindsOfFilesAreRecognised(string content, string said)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.onnx", System.Text.Encoding.Latin1.GetBytes(content));
        var message = Refusal(() => OnnxReader.Read(path));
        StringAssert.Contains(message, said);
        StringAssert.Contains(message, path);
    }

    [TestMethod]
    public void AModelWithoutAGraphIsRefused() =>
        StringAssert.Contains(Refusal(() => OnnxReader.Read(new ModelProto { IrVersion = 8 }.ToByteArray())), "no graph");

    [TestMethod]
    public void EveryTruncationIsRefused()
    {
        var model = Models.Everything();
        // Without what follows the operator sets, every shorter file lacks something that a model must have.
        model.Metadata.Clear();
        model.Opsets.Remove("example.test");
        var bytes = OnnxWriter.ToBytes(model);
        for (var length = 0; length < bytes.Length; length++)
            Refusal(() => OnnxReader.Read(bytes.AsMemory(0, length)));
    }

    [TestMethod]
    public void TruncationsOfARealModelAreRefused()
    {
        var bytes = File.ReadAllBytes(Path.Combine(SharedData.Folder(), "onnx-light", "light_squeezenet.onnx"));
        var random = new Random(7);
        for (var i = 0; i < 200; i++)
        {
            var length = random.Next(bytes.Length);
            Refusal(() => OnnxReader.Read(bytes.AsMemory(0, length)));
        }
    }

    [TestMethod]
    public void ChangedBytesNeverEscapeTheTwoKindsOfErrors()
    {
        var original = OnnxWriter.ToBytes(Models.Everything());
        var random = new Random(11);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = (byte[])original.Clone();
            for (var change = random.Next(1, 4); change > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                // What reads must also be writable: the reader admits nothing that the rest cannot hold.
                OnnxWriter.ToBytes(OnnxReader.Read(bytes));
            }
            catch (Exception e) when (e is ModelFileException or UnsupportedOpException)
            {
                Assert.IsNotEmpty(e.Message);
            }
        }
    }

    [TestMethod]
    public void DeeplyNestedGraphsAreRefusedAndDoNotOverflowTheStack()
    {
        var graph = new GraphProto();
        for (var depth = 0; depth < 200; depth++)
            graph = new GraphProto { Node = { new NodeProto { OpType = "If", Attribute = { new AttributeProto { Name = "then_branch", G = graph } } } } };
        StringAssert.Contains(Refusal(() => OnnxReader.Read(new ModelProto { Graph = graph }.ToByteArray())), "damaged");
    }

    [TestMethod]
    public void AllStructuralFaultsAreListedAtOnce()
    {
        var proto = ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(Models.Everything()));
        proto.Graph.Initializer.Add(proto.Graph.Initializer[0].Clone());
        proto.Graph.Node.Add(new NodeProto { Name = "again", OpType = "Exp", Input = { "x" }, Output = { "sum" } });
        proto.Graph.Node.Add(new NodeProto { Name = "lost", OpType = "Exp", Input = { "nowhere" }, Output = { "z" } });
        proto.Graph.Node.Add(new NodeProto { Name = "a", OpType = "Exp", Input = { "bb" }, Output = { "aa" } });
        proto.Graph.Node.Add(new NodeProto { Name = "b", OpType = "Exp", Input = { "aa" }, Output = { "bb" } });
        proto.Graph.Node.Add(new NodeProto { Name = "after", OpType = "Exp", Input = { "bb" }, Output = { "cc" } });
        proto.Graph.Output.Add(new ValueInfoProto { Name = "missing" });
        var message = Refusal(() => OnnxReader.Read(proto.ToByteArray()));
        StringAssert.Contains(message, "'w' is assigned twice");
        StringAssert.Contains(message, "'sum' is assigned twice");
        StringAssert.Contains(message, "uses 'nowhere'");
        StringAssert.Contains(message, "output 'missing'");
        StringAssert.Contains(message, "cycle through node 'a' (Exp), node 'b' (Exp)\n", "and not through the node behind them");
    }

    [TestMethod]
    public void AllUnsupportedPartsAreListedAtOnce()
    {
        var proto = ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(Models.Everything()));
        proto.TrainingInfo.Add(ByteString.Empty);
        proto.Graph.SparseInitializer.Add(ByteString.Empty);
        proto.Graph.Node[0].Attribute.Add(new AttributeProto { Name = "types", Type = AttributeProto.Types.AttributeType.TypeProto });
        var message = Assert.ThrowsExactly<UnsupportedOpException>(() => OnnxReader.Read(proto.ToByteArray())).Message;
        StringAssert.Contains(message, "training");
        StringAssert.Contains(message, "sparse");
        StringAssert.Contains(message, "'types'");
    }

    [TestMethod]
    public void UnknownFieldsAreSkipped()
    {
        // Field 99, length-delimited, three bytes.
        byte[] bytes = [.. OnnxWriter.ToBytes(Models.Everything()), 0x9A, 0x06, 3, 1, 2, 3];
        Models.AssertSame(Models.Everything(), OnnxReader.Read(bytes));
    }

    private static string Refusal(Action read) => Assert.ThrowsExactly<ModelFileException>(read).Message;
}
