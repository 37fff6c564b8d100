using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Teachers;

/// <summary>What a denoiser file says of itself comes back.</summary>
[TestClass]
public sealed class TeacherCardTests
{
    private static readonly TeacherCard Card = new()
    {
        Prediction = "v",
        Schedule = "cosine:steps=50",
        Time = "step",
        Levels = new NoiseLevels([0.1, 1 / 3.0, 80]),
        Guidance = 1.25,
        Shape = "2",
        Range = "0..255",
        Channels = "bgr",
        SigmaData = 1 / 3.0,
        SigmaMin = 1e-5,
        SigmaMax = 157.25,
        Labels = 10,
        NullLabel = 10,
        Data = "points",
        Licence = "Apache-2.0",
        Source = "a study, 2026 – „quoted“",
    };

    [TestMethod]
    public void ACardComesBackFromAFileBitForBit()
    {
        using var files = new TestFiles();
        var model = new OnnxModel(new OnnxGraph());
        Card.WriteTo(model);
        OnnxWriter.Write(model, files["card.onnx"]);
        Assert.AreEqual(Card, TeacherCard.Read(OnnxReader.Read(files["card.onnx"])));
    }

    [TestMethod]
    public void WhatIsMissingHasItsDefault()
    {
        var model = new OnnxModel(new OnnxGraph());
        model.Metadata["onnxdistill.kind"] = "denoiser";
        Assert.AreEqual(new TeacherCard(), TeacherCard.Read(model));
    }

    [TestMethod]
    public void AFlowOfBeforeSchedulesWereRecordedIsStillOne()
    {
        var model = new OnnxModel(new OnnxGraph());
        model.Metadata["onnxdistill.kind"] = "denoiser";
        model.Metadata["onnxdistill.prediction"] = "flow";
        Assert.AreEqual(new TeacherCard { Prediction = "flow", Schedule = "flow", Time = "t" }, TeacherCard.Read(model));
    }

    [TestMethod]
    public void AModelOfAnotherKindHasNoCard()
    {
        var model = new OnnxModel(new OnnxGraph());
        Assert.IsNull(TeacherCard.Read(model));
        Card.WriteTo(model);
        model.Metadata["onnxdistill.kind"] = "generator";
        Assert.IsNull(TeacherCard.Read(model));
    }

    [TestMethod]
    [DataRow("sigma_data", "half")]
    [DataRow("sigma_max", "NaN")]
    [DataRow("labels", "")]
    [DataRow("guidance", "1,5")]
    public void ANumberThatIsNoneIsNamed(string key, string text)
    {
        var model = new OnnxModel(new OnnxGraph());
        Card.WriteTo(model);
        model.Metadata[$"onnxdistill.{key}"] = text;
        Expect.Error<TeacherMismatchException>(() => TeacherCard.Read(model), $"onnxdistill.{key}", $"'{text}'", "Import");
    }

    [TestMethod]
    public void AFileWithoutACardIsNoDenoiser()
    {
        using var files = new TestFiles();
        OnnxWriter.Write(RawNetworks.Flow(0, 0.5), files["raw.onnx"]);
        Expect.Error<TeacherMismatchException>(() => Denoiser.Load(files["raw.onnx"]), "no OnnxDistill card", "import");
    }

    [TestMethod]
    public void ADenoiserWithOtherInputsIsRefused()
    {
        var model = RawNetworks.Flow(0, 0.5);
        new TeacherCard().WriteTo(model);
        Expect.Error<TeacherMismatchException>(() => new Denoiser(model, "the file"), "the file", "x, sigma", "state, t");
    }
}
