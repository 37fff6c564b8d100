using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Students;

/// <summary>Any network from a latent to a sample becomes a student.</summary>
[TestClass]
public sealed class GeneratorImporterTests
{
    [TestMethod]
    [DataRow(1)]
    [DataRow(0)]
    public void AForeignGeneratorKeepsItsNumbersAndItsWeightsNames(int batch)
    {
        using var files = new TestFiles();
        var foreign = ForeignGenerators.Linear(batch > 0 ? batch : Dim.Named("batch"));
        var generator = Import(files, foreign, new GeneratorOptions(), 0, 2);
        CollectionAssert.AreEqual(new long[] { 3 }, generator.LatentShape);
        CollectionAssert.AreEquivalent(new[] { "fc.weight", "fc.bias" }, generator.AtAnyBatch().Parameters.Select(p => p.Name).ToArray());
        var z = new TestRandom(7).FloatNormals(3);
        var expected = Run(foreign, new() { ["noise"] = TensorData.Of(z, 1, 3) });
        var found = Run(generator.Model, new() { ["z"] = TensorData.Of(z, 1, 3) });
        for (var i = 0; i < 2; i++)
            Assert.AreEqual(expected[i], found[i], 1e-6); // the same products in float32
    }

    [TestMethod]
    public void AFixedBatchOneHotLabelsUniformLatentsAndAnotherRangeAreTakenIn()
    {
        using var files = new TestFiles();
        var foreign = ForeignGenerators.FixedImages();
        var generator = Import(files, foreign, new GeneratorOptions { Latent = LatentLaw.SignedUniform, Range = "0..1" }, 4, 1, 2, 2);
        // Phi(0.6744898) = 0.75 and Phi(-0.6744898) = 0.25: 0.5 and -0.5 on [-1, 1).
        var found = Run(generator.Model, new() { ["z"] = TensorData.Of([0.6744898f, 0, -0.6744898f, 0, 0, 0], 2, 3), ["label"] = TensorData.Of([2L, 0], 2) });
        var first = Run(foreign, new() { ["noise"] = TensorData.Of([0.5f, 0, -0.5f], 1, 3), ["class"] = TensorData.Of([0f, 0, 1, 0], 1, 4) });
        var second = Run(foreign, new() { ["noise"] = TensorData.Of([0f, 0, 0], 1, 3), ["class"] = TensorData.Of([1f, 0, 0, 0], 1, 4) });
        foreach (var (pixel, sample) in first.Concat(second).Zip(found))
            Assert.AreEqual((2 * pixel) - 1, sample, 1e-6); // float32 of numbers below 1
        var plain = Import(files, foreign, new GeneratorOptions { Latent = LatentLaw.Uniform, Range = "0..1" }, 4, 1, 2, 2);
        var uniform = Run(plain.Model, new() { ["z"] = TensorData.Of([0f, 0.6744898f, -0.6744898f], 1, 3), ["label"] = TensorData.Of([1L], 1) });
        var expected = Run(foreign, new() { ["noise"] = TensorData.Of([0.5f, 0.75f, 0.25f], 1, 3), ["class"] = TensorData.Of([0f, 1, 0, 0], 1, 4) });
        for (var i = 0; i < 4; i++)
            Assert.AreEqual((2 * expected[i]) - 1, uniform[i], 1e-6); // float32 of numbers below 1
    }

    [TestMethod]
    public void StatisticsOfABatchNormalizationAreFrozenItsScaleAndShiftAreTrained()
    {
        using var files = new TestFiles();
        var generator = Import(files, ForeignGenerators.Normalised(), new GeneratorOptions(), 0, 2);
        CollectionAssert.AreEquivalent(new[] { "fc.weight", "bn.weight", "bn.bias" }, generator.AtBatch(4).Parameters.Select(p => p.Name).ToArray());
    }

    [TestMethod]
    public void WhatIsNoFittingGeneratorIsRefusedWithWhatWouldFit()
    {
        using var files = new TestFiles();
        Expect.Error<TeacherMismatchException>(() => Import(files, ForeignGenerators.Linear(1, outputs: 5), new GeneratorOptions(), 0, 2), "makes samples [5], expected [2]");
        Expect.Error<TeacherMismatchException>(() => Import(files, ForeignGenerators.Linear(1), new GeneratorOptions(), 10, 2), "one label of 10 classes");
        Expect.Error<TeacherMismatchException>(() => Import(files, ForeignGenerators.FixedImages(), new GeneratorOptions(), 0, 1, 2, 2), "studentImport.latentInput");
        Expect.Error<TeacherMismatchException>(() => Import(files, ForeignGenerators.Coupled(), new GeneratorOptions(), 0, 2), "share statistics");
        Expect.Error<TeacherMismatchException>(() => Import(files, ForeignGenerators.Linear(1), new GeneratorOptions { LatentInput = "nosie" }, 0, 2), "has no 'nosie'");
    }

    [TestMethod]
    public void AFinishedRunsGeneratorIsAStudentOfTheSameWeightsAndSamples()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "diff-instruct"));
        engine.Step();
        OnnxWriter.Write(RunExport.Build(engine), files["generator.onnx"]);
        var generator = GeneratorImporter.Read(files["generator.onnx"], new GeneratorOptions(), 0, [2]);
        CollectionAssert.AreEqual(engine.Program.Network("student").Network.Parameters.Select(p => p.Name).ToArray(), generator.AtBatch(3).Parameters.Select(p => p.Name).ToArray());
        var z = TensorData.Of(new TestRandom(1).FloatNormals(6), 3, 2);
        CollectionAssert.AreEqual(Run(RunExport.Build(engine), new() { ["z"] = z }), Run(generator.Model, new() { ["z"] = z }));
        Expect.Error<RecipeException>(() => GeneratorImporter.Read(files["generator.onnx"], new GeneratorOptions { Range = "0..1" }, 0, [2]), "needs no such options");
    }

    private static Generator Import(TestFiles files, OnnxModel model, GeneratorOptions options, int labels, params long[] dataShape)
    {
        OnnxWriter.Write(model, files["foreign.onnx"]);
        return GeneratorImporter.Read(files["foreign.onnx"], options, labels, dataShape);
    }

    private static double[] Run(OnnxModel model, Dictionary<string, TensorData> feeds)
    {
        using var session = GraphSession.Create(model);
        return session.Run(feeds).Values.Single().ToDoubles();
    }
}
