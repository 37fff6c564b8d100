using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Artifacts.OrtTraining;
using OnnxDistill.Cli;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Cli;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Io;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>The files of the layout ort-training train in ONNX Runtime's own session as the recipe trains here.</summary>
[TestClass]
public sealed class OrtTrainingTests
{
    private const string Method = "denoising-score-matching";

    // Adam divides a gradient by its size. Where it is zero but for rounding (a key's bias before a softmax), a small epsilon makes a step of the learning rate's size out of
    // that rounding, here another than there: with 1e-8 some weights of the images' networks end over 1e-6 apart (2e-6 seen).
    [TestMethod]
    [DataRow("points", "")]
    [DataRow("points", "training.optimizer={\"learningRate\":0.001,\"beta1\":0,\"beta2\":0.99}", DisplayName = "the session's own learning rate, no first moment")]
    [DataRow("points", "training.optimizer={\"learningRate\":0.02,\"beta1\":0.8,\"weightDecay\":0.1,\"clipNorm\":0.5,\"epsilon\":1e-6}", DisplayName = "weight decay and clipping")]
    [DataRow("points", "options.noise={\"kind\":\"power\",\"max\":20,\"powerImages\":64}", DisplayName = "an input that follows the images seen")]
    [DataRow("frozen", "")]
    [DataRow("images", "training.optimizer.epsilon=0.1")]
    [DataRow("images", "training.optimizer.epsilon=0.1;network={\"kind\":\"song-unet\",\"channels\":4,\"multipliers\":[1,2],\"blocks\":1,\"attentionResolutions\":[4],\"dropout\":0.2,\"augment\":true};"
        + "options={\"augment\":{\"probability\":0.5},\"labelDropout\":0.3}", DisplayName = "attention, dropout, augmentation, dropped labels")]
    public void ThreeStepsOfOnnxRuntimesSessionAreTheEngines(string kind, string settings)
    {
        using var files = new TestFiles();
        var program = TrainingProgram.Build(Recipe(files, kind, settings));
        var manifest = OrtTrainingWriter.Write(program, files["ort"]);
        var steps = Enumerable.Range(0, 3).Select(step => OrtSession.FeedsOf(program, step)).ToArray();
        List<(string Name, TensorData Data)> evaluation = [.. manifest.EvalInputs.Select(i => steps[0].Single(f => f.Name == i.Name))];
        var session = OrtSession.Run(files, files["ort"], steps, evaluation);

        using var engine = new TrainingEngine(program);
        for (var step = 0; step < 3; step++)
        {
            var expected = engine.Step().Losses["fit"];
            // A loss is a sum of thousands of products in float32, in another order here than there.
            Assert.AreEqual(expected, session.Json["losses"]![step]!.GetValue<double>(), 1e-6 * Math.Max(1, expected), $"loss of step {step}");
        }
        var state = engine.States["student"];
        using var initial = new NetworkState(state.Description);
        var moved = 0.0;
        foreach (var parameter in manifest.Parameters)
        {
            var weights = Floats(state, parameter.Name);
            var before = Floats(initial, parameter.Name);
            for (var i = 0; i < weights.Length; i++)
            {
                Assert.AreEqual(weights[i], session.Weights[parameter.Offset + i], 1e-6, $"{parameter.Name}[{i}], from {before[i]}");
                moved = Math.Max(moved, Math.Abs(weights[i] - before[i]));
            }
        }
        Assert.IsGreaterThan(1e-3, moved, "the weights have to have moved");
        Assert.HasCount((int)manifest.Parameters.Sum(p => p.Shape.Aggregate(1L, (n, d) => n * d)), session.Weights);

        CollectionAssert.AreEqual(manifest.Inputs.Select(i => i.Name).ToArray(), session.Names("trainingInputs"));
        CollectionAssert.AreEqual(manifest.EvalInputs.Select(i => i.Name).ToArray(), session.Names("evalInputs"));
        Assert.AreEqual("loss", session.Names("trainingOutputs")[0]);
        var checkpoint = OrtCheckpoint.Read(files["ort/checkpoint"]);
        Assert.AreEqual(kind == "frozen" ? 1 : 0, checkpoint.Frozen.Count);
        Check(Evaluate(files["ort/eval_model.onnx"], evaluation, checkpoint.Trainable.Concat(checkpoint.Frozen)), session.Number("evalBefore"));
        var after = manifest.Parameters.Select(p => new OrtParameter(p.Name, TensorData.Of(session.Weights.AsSpan((int)p.Offset, (int)p.Shape.Aggregate(1L, (n, d) => n * d)), p.Shape)));
        Check(Evaluate(files["ort/eval_model.onnx"], evaluation, after.Concat(checkpoint.Frozen)), session.Number("evalAfter"));
        var drops = manifest.Inputs.Any(i => i.Name.StartsWith("dropout", StringComparison.Ordinal));
        Assert.AreEqual(drops, manifest.EvalInputs.Count < manifest.Inputs.Count);
        if (!drops)
            Check(session.Json["losses"]![0]!.GetValue<double>(), session.Number("evalBefore"));
        Assert.AreEqual(session.Weights.Length + checkpoint.Frozen.Sum(p => p.Data!.ElementCount), session.Json["allParameters"]!.GetValue<long>());

        static void Check(double expected, double found) => Assert.AreEqual(expected, found, 1e-6 * Math.Max(1, expected));
    }

    [TestMethod]
    [DataRow("points")]
    [DataRow("frozen")]
    [DataRow("images")]
    public void ModelsHoldStandardOperatorsAndTheAccumulatorsAlone(string kind)
    {
        using var files = new TestFiles();
        OrtTrainingWriter.Write(TrainingProgram.Build(Recipe(files, kind, "")), files["ort"]);
        var (training, evaluation) = (OnnxReader.Read(files["ort/training_model.onnx"]), OnnxReader.Read(files["ort/eval_model.onnx"]));
        Assert.AreEqual("com.microsoft::InPlaceAccumulatorV2", string.Join(", ", training.Graph.Nodes.Where(n => n.Domain.Length > 0).Select(n => n.QualifiedOp).Distinct()));
        Assert.IsTrue(evaluation.Graph.Nodes.TrueForAll(n => n.Domain.Length == 0));
        foreach (var model in new[] { training, evaluation, OnnxReader.Read(files["ort/optimizer_model.onnx"]) })
            Assert.AreEqual((18L, 9L), (model.Opset, model.IrVersion), "ONNX Runtime 1.19 reads opsets up to 21 and IR versions up to 10");
        OrtLayout.RequireOrder(training, evaluation, OrtCheckpoint.Read(files["ort/checkpoint"]));
    }

    [TestMethod]
    [DataRow("clipNorm")]
    [DataRow("learningRate")]
    public void TheOptimizersInterfaceIsThatOfOnnxRuntimesOwn(string setting)
    {
        var expected = OnnxReader.Read(Path.Combine(SharedFiles.Data(), "ort-training-api", "adamw.onnx"));
        var found = OrtOptimizer.Build(setting == "clipNorm" ? new OptimizerOptions { ClipNorm = 2 } : new OptimizerOptions { LearningRate = 0.25 });
        found = OnnxReader.Read(OnnxWriter.ToBytes(found));
        Assert.AreEqual(Interface(expected), Interface(found));
        var (theirs, ours) = (expected.Graph.Nodes.Single(), found.Graph.Nodes.Single(n => n.OpType == "AdamWOptimizer"));
        CollectionAssert.AreEqual(theirs.Attributes.Select(a => a.Key).ToArray(), ours.Attributes.Select(a => a.Key).ToArray());
        Assert.AreEqual(theirs.QualifiedOp, ours.QualifiedOp);
        CollectionAssert.AreEqual(theirs.Inputs.Select(i => i!.Name).ToArray(), ours.Inputs.Select(i => Fed(i!)).ToArray());
        Assert.AreEqual(setting == "clipNorm" ? "InplaceClipGradNorm, AdamWOptimizer" : "Equal, Where, AdamWOptimizer", string.Join(", ", found.Graph.Nodes.Select(n => n.OpType)));

        static string Fed(Value value) => value.Producer is { } node ? node.Inputs.First(i => i is { Constant: null, Producer: null })!.Name : value.Name;

        static string Interface(OnnxModel model) => string.Join("; ", model.Graph.Inputs.Select(i => $"{i.Name} {i.Type} {i.SequenceOf} {i.KnownShape}"))
            + " -> " + string.Join("; ", model.Graph.Outputs.Select(o => $"{o.Type} {o.KnownShape}"));
    }

    [TestMethod]
    public void TheManifestSaysWhatIsFedAndComesLast()
    {
        using var files = new TestFiles();
        var manifest = OrtTrainingWriter.Write(TrainingProgram.Build(Recipe(files, "images", "options.labelDropout=0.5")), files["ort"]);
        var roles = manifest.Inputs.ToDictionary(i => i.Name, i => $"{i.Role} {i.Type} [{string.Join(",", i.Shape)}] {i.Distribution}{i.Bound}");
        Assert.AreEqual("image float32 [8,1,8,8] ", roles["real"]);
        Assert.AreEqual("image_label int64 [8] 2", roles["real_label"]);
        Assert.AreEqual("noise float32 [8] normal", roles["sigma_draw"]);
        Assert.AreEqual("noise float32 [8,1,8,8] normal", roles["epsilon"]);
        Assert.AreEqual("noise float32 [8] uniform", roles["label_drop"]);
        using var json = JsonDocument.Parse(File.ReadAllText(files["ort/manifest.json"]));
        Assert.AreEqual("ort-training", json.RootElement.GetProperty("layout").GetString());
        Assert.AreEqual(5e-3, json.RootElement.GetProperty("optimizer").GetProperty("learningRate").GetDouble());
        string[] named = [.. new[] { "trainingModel", "evalModel", "optimizerModel", "checkpoint" }.Select(k => json.RootElement.GetProperty(k).GetString()!), "manifest.json"];
        CollectionAssert.AreEquivalent(named, Directory.GetFiles(files["ort"]).Select(f => Path.GetFileName(f)).ToArray());
    }

    [TestMethod]
    public void TheCommandWritesTheFilesAndNamesThem()
    {
        using var files = new TinyFiles();
        var json = CommandLine.Run("artifacts", files["fit.json"], "-o", files["ort"], "--format", "ort-training", "--set", "training.batch=4", "--json").Expect(ExitCodes.Done).Json;
        Assert.AreEqual("checkpoint eval_model.onnx manifest.json optimizer_model.onnx training_model.onnx", string.Join(' ', json["files"]!.AsArray().Select(f => f!.GetValue<string>())));
        Assert.AreEqual(4, OnnxReader.Read(files["ort/training_model.onnx"]).Graph.Input("sigma_draw").Shape[0].Size);
    }

    [TestMethod]
    [DataRow(Method, "training.optimizer.clipValue=1", "clipValue: found 1", "Set it to 0")]
    [DataRow(Method, "training.optimizer.nonFinite=zero", "nonFinite: found zero", "Set it to skip")]
    [DataRow(Method, "training.precision=fp16", "training.precision: found fp16", "fp32")]
    [DataRow("sid", "", "found 'sid', expected 'denoising-score-matching'", "one loss and one optimizer", "Leave --format out")]
    public void WhatTheLayoutHasNoPlaceForIsRefused(string method, string setting, params string[] words)
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, method, setting.Length > 0 ? [setting] : []);
        Expect.Error<RecipeException>(() => OrtTrainingWriter.Write(program, files["ort"]), words);
        Assert.IsFalse(Directory.Exists(files["ort"]));
    }

    [TestMethod]
    [DataRow("epsilon")]
    [DataRow("lazy_reset_grad")]
    [DataRow("w_grad")]
    public void WeightsWithNamesThatASessionTakesForSomethingElseAreRefused(string name)
    {
        using var files = new TestFiles();
        WriteDenoiser(files["initial.onnx"], name);
        var program = TrainingProgram.Build(Initial(files));
        Expect.Error<RecipeException>(() => OrtTrainingWriter.Write(program, files["ort"]), $"'{name}'", "Rename them");
    }

    private static LoadedRecipe Recipe(TestFiles files, string kind, string settings)
    {
        var assignments = settings.Split(';', StringSplitOptions.RemoveEmptyEntries);
        if (kind == "points")
            return Toys.Recipe(files, Method, assignments);
        if (kind == "images")
            return ImageFitTests.Recipe(files, assignments);
        WriteDenoiser(files["initial.onnx"], "steps");
        return Initial(files, assignments);
    }

    private static LoadedRecipe Initial(TestFiles files, params string[] settings)
    {
        var recipe = Toys.Recipe(files, Method, settings).Recipe with { Network = null, Initial = files["initial.onnx"] };
        return RecipeLoader.Resolve((JsonObject)JsonSerializer.SerializeToNode(recipe, RecipeJson.Options)!, files.Folder, "toy", []);
    }

    // D = x w + sign(the other one): that one's sign is read, but has no slope.
    private static void WriteDenoiser(string path, string other)
    {
        var b = new GraphBuilder("signs");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(Dim.Named("N")));
        var signs = b.Emit("Sign", [b.Initializer(other, TensorData.Of([-0.5f, 2], 2))], ElementType.Float32, Shape.Of(2));
        b.Output(Denoiser.Denoised, b.Add(b.MatMul(x, b.Initializer("w", TensorData.Of([0.5f, -0.25f, 0.125f, 1], 2, 2))), b.Mul(signs, 0.1)));
        var model = new OnnxModel(b.Graph);
        MixtureTeacher.Card(Toys.TwoModes, "test").WriteTo(model);
        OnnxWriter.Write(model, path);
    }

    private static float[] Floats(NetworkState state, string parameter) => state.Description.Layout.View(state.Current(OptimizerGraph.Weights), parameter).ToData().As<float>().ToArray();

    private static double Evaluate(string model, IEnumerable<(string Name, TensorData Data)> feeds, IEnumerable<OrtParameter> parameters) =>
        OrtRuns.Run(model, feeds.Concat(parameters.Select(p => (p.Name, Data: p.Data!))).ToDictionary(f => f.Name, f => f.Data))[0].As<float>()[0];
}
