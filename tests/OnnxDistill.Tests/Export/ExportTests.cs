using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Export;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Export;

/// <summary>The exported generator is the student, and runs anywhere.</summary>
[TestClass]
public sealed class ExportTests
{
    [TestMethod]
    public void TheGeneratorIsTheAveragedStudentAtAnyBatch()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid");
        using var engine = new TrainingEngine(program);
        for (var i = 0; i < 4; i++)
            engine.Step();
        OnnxWriter.Write(RunExport.Build(engine), files["generator.onnx"]);

        using var session = new InferenceSession(files["generator.onnx"]);
        CollectionAssert.AreEqual(new[] { "z" }, session.InputNames.ToArray());
        CollectionAssert.AreEqual(new[] { "points" }, session.OutputNames.ToArray());
        Assert.AreEqual("N", session.InputMetadata["z"].SymbolicDimensions[0]);
        foreach (var batch in new[] { 1, 5 })
        {
            var z = new TestRandom(batch).FloatNormals(2 * batch);
            var (expected, found) = (Student(engine, z, batch), Run(session, z, batch));
            for (var i = 0; i < z.Length; i++)
                Assert.AreEqual(expected[i], found[i], 1e-5); // float32 sums in another order, values of size 1
        }
    }

    [TestMethod]
    public void TheMetadataTellWhereTheGeneratorComesFrom()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "diff-instruct"));
        engine.Step();
        OnnxWriter.Write(RunExport.Build(engine), files["generator.onnx"]);
        using var session = new InferenceSession(files["generator.onnx"]);
        var metadata = session.ModelMetadata.CustomMetadataMap;
        var expected = new Dictionary<string, string>
        {
            ["onnxdistill.kind"] = "generator",
            ["onnxdistill.steps"] = "1",
            ["onnxdistill.latent"] = "standard normal",
            ["onnxdistill.data"] = "points",
            ["onnxdistill.labels"] = "0",
            ["onnxdistill.method"] = "diff-instruct",
            ["onnxdistill.images_seen"] = "8",
            ["onnxdistill.sigma_init"] = engine.Program.Task.SigmaInit.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
            ["onnxdistill.teacher_sha256"] = engine.Program.Teacher!.Hash(), // the method distils a teacher
            ["onnxdistill.teacher_licence"] = "MIT",
        };
        CollectionAssert.AreEquivalent(expected.ToArray(), metadata.ToArray());
    }

    [TestMethod]
    public void AFitIsWrittenAsTheDenoiserItIs()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, DenoisingScoreMatching.MethodName));
        engine.Step();
        OnnxWriter.Write(RunExport.Build(engine), files["teacher.onnx"]);
        var fitted = OnnxDistill.Teachers.Denoiser.Load(files["teacher.onnx"]);
        Assert.AreEqual(engine.Program.Initial!.Card, fitted.Card); // a fit has one
        CollectionAssert.AreEqual(new long[] { 2 }, fitted.DataShape);
        var layout = engine.States[Roles.Student].Description.Layout;
        foreach (var parameter in fitted.AtAnyBatch().Parameters)
        {
            var expected = layout.View(engine.States[Roles.Student].Current(OptimizerGraph.Ema), parameter.Name).ToData();
            CollectionAssert.AreEqual(expected.As<float>().ToArray(), parameter.Constant!.As<float>().ToArray(), parameter.Name);
        }
    }

    [TestMethod]
    public void AFinishedRunIsExportedWithItsCheck()
    {
        using var files = new TestFiles();
        Trainer.Run(Toys.Program(files, "sid"), files["run"], false, new SilentObserver(), CancellationToken.None);
        var source = RunExport.FromRun(files["run"]);
        var result = GeneratorExport.Run(source, new ExportOptions());
        Assert.IsTrue(result.Check.Passed);
        Assert.IsGreaterThan(0.1, result.Check.LargestValue);
        Assert.IsNull(result.Loss);
        // Points are not clamped: but for the metadata it is the run's own last generator.
        CollectionAssert.AreEqual(File.ReadAllBytes(Directory.GetFiles(files["run"], "generator-*064.onnx").Single()), OnnxWriter.ToBytes(source.Build()));
        Assert.AreEqual("free", result.Model.Metadata["onnxdistill.range"]);
    }

    [TestMethod]
    public void ATamperedWeightIsCaught()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sid"));
        var program = engine.Program;
        var weights = Weights(engine);
        var model = RunExport.Build(engine);
        Assert.IsTrue(GeneratorCheck.Run(model, program.Student, weights).Passed);

        var weight = model.Graph.Initializers.Single(i => i.Name == "output.weight");
        var values = weight.Constant!.As<float>().ToArray(); // an initializer has its data
        values[1] += 1e-3f;
        weight.Constant = TensorData.Of(values, weight.Constant.Dims);
        Expect.Error<CheckFailedException>(() => GeneratorCheck.Run(model, program.Student, weights), "differs from the student");

        values[1] = float.NaN;
        weight.Constant = TensorData.Of(values, weight.Constant.Dims);
        Expect.Error<CheckFailedException>(() => GeneratorCheck.Run(model, program.Student, weights), "differs from the student");
    }

    [TestMethod]
    public void ANoiseLevelThatIsNotTheStudentsIsCaught()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sid"));
        var program = engine.Program;
        var model = GeneratorBuilder.Build(program.Initial!, Weights(engine), program.Task.SigmaInit * 1.01, []); // the student is a denoiser
        Expect.Error<CheckFailedException>(() => GeneratorCheck.Run(model, program.Student, Weights(engine)), "differs from the student");
    }

    private static Dictionary<string, TensorData> Weights(TrainingEngine engine)
    {
        var state = engine.States[Roles.Student];
        return state.Description.Layout.Views(state.Current(OptimizerGraph.Ema)).ToDictionary(v => v.Key, v => v.Value.ToData());
    }

    // The student as a loss sees it: LossContext.Student at that batch, with the averaged weights as inputs.
    private static float[] Student(TrainingEngine engine, float[] z, int batch)
    {
        var (program, network) = (engine.Program, engine.Program.Student.AtBatch(batch));
        var task = program.Task with { Batch = batch };
        var b = new OnnxDistill.Graph.Building.GraphBuilder();
        var parameters = network.Parameters.ToDictionary(p => p.Name, p => b.Input($"student/{p.Name}", ElementType.Float32, p.Shape));
        var context = new LossContext(b, task, new Dictionary<string, LossContext.BoundNetwork> { [Roles.Student] = new(network, parameters) });
        b.Output("x", context.Student(context.NormalLikeBatch("z"), null));
        var feeds = Weights(engine).ToDictionary(w => $"student/{w.Key}", w => w.Value);
        feeds["z"] = TensorData.Of(z, batch, 2);
        using var session = OnnxDistill.Runtime.Sessions.GraphSession.Create(new OnnxModel(b.Graph));
        return session.Run(feeds)["x"].As<float>().ToArray();
    }

    private static float[] Run(InferenceSession session, float[] z, int batch)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(z, [batch, 2]);
        using var options = new RunOptions();
        using var outputs = session.Run(options, new Dictionary<string, OrtValue> { ["z"] = input }, session.OutputNames);
        CollectionAssert.AreEqual(new long[] { batch, 2 }, outputs[0].GetTensorTypeAndShape().Shape);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
