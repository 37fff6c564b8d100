using System.Text.Json.Nodes;
using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Methods;

/// <summary>Dropout nodes of a network: idle in files and in inference mode, masks from host noise in training mode.</summary>
[TestClass]
public sealed class DropoutTests
{
    private const int Batch = 6;
    private const double Ratio = 0.3;

    private static readonly DistillationTask Task = new(Batch, [2], SigmaData: 1, SigmaInit: 1, Labels: 0);

    [TestMethod]
    public void ANetworkKeepsItsDropoutsInItsFileAndWhenItIsFolded()
    {
        var options = new SongUNetOptions { Channels = 4, Multipliers = [1, 1], Blocks = 1, AttentionResolutions = [] };
        Denoiser Build(double dropout) => SongUNet.Build(options with { Dropout = dropout }, new TeacherCard(), 1, 8, 8);
        var (with, without) = (Build(Ratio), Build(0));
        // One a block: the encoder's block at each of two levels and its way down, the decoder's two at the bottom, its way up and two blocks a level.
        Assert.HasCount(10, Dropouts(with.Model));
        Assert.HasCount(10, Dropouts(with.AtBatch(2).Model));
        Assert.IsEmpty(Dropouts(without.Model));
        CollectionAssert.AreEqual(new[] { "x", "sigma" }, with.Model.Graph.Inputs.Select(i => i.Name).ToArray());
        CollectionAssert.AreEqual(Denoised(without.Model, 8, 8), Denoised(with.Model, 8, 8), "in a session a Dropout does nothing");
        CollectionAssert.AreEqual(without.AtAnyBatch().Parameters.Select(p => p.Name).ToArray(), with.AtAnyBatch().Parameters.Select(p => p.Name).ToArray());
    }

    [TestMethod]
    public void InferenceModeDropsNothingAndDeclaresNothing()
    {
        var (values, feeds) = Run(c => [c.Denoise("a", X(c), Sigma(c), null)]);
        Assert.IsEmpty(feeds);
        CollectionAssert.AreEqual(Run(c => [c.Denoise("plain", X(c), Sigma(c), null)]).Values[0], values[0]);
    }

    [TestMethod]
    public void TrainingModeDropsThatShareAndKeepsTheMean()
    {
        // D = x + drop(x w): linear in the masks, so the mean over many of them is the network without.
        const int draws = 2000;
        var (values, feeds) = Run(c => [c.Denoise("a", X(c), Sigma(c), null, masks: "one"), c.Denoise("a", X(c), Sigma(c), null)], draws);
        Assert.AreEqual("dropout_one_0", feeds.Single().Name);
        CollectionAssert.AreEqual(new long[] { Batch, 2 }, feeds.Single().Dims);
        var x = Inputs();
        for (var i = 0; i < Batch * 2; i++)
        {
            var added = Enumerable.Range(0, draws).Select(d => values[0][(d * Batch * 2) + i] - x[i]).ToArray();
            var all = values[1][i] - x[i];
            // Either nothing, or what there is over the share that stays; nothing in 30 % of the draws, within four standard errors.
            Assert.IsTrue(added.All(a => Math.Abs(a) < 1e-5 || Math.Abs(a - (all / (1 - Ratio))) < 1e-5), "float32 numbers of size 1");
            Assert.AreEqual(Ratio, added.Count(a => Math.Abs(a) < 1e-5) / (double)draws, 4 * Math.Sqrt(Ratio * (1 - Ratio) / draws));
        }
    }

    [TestMethod]
    public void CallsOfOneSetDropTheSameAndOthersDoNot()
    {
        var (values, feeds) = Run(c =>
        [
            c.Denoise("a", X(c), Sigma(c), null, masks: "one"), c.Denoise("b", X(c), Sigma(c), null, masks: "one"), c.Denoise("a", X(c), Sigma(c), null, masks: "two"),
        ]);
        CollectionAssert.AreEqual(values[0], values[1]);
        CollectionAssert.AreNotEqual(values[0], values[2]);
        CollectionAssert.AreEqual(new[] { "dropout_one_0", "dropout_two_0" }, feeds.Select(f => f.Name).ToArray());
    }

    /// <summary>methods.md 3.1 and trap 22, phase by phase.</summary>
    [TestMethod]
    [DataRow("diff-instruct", "dropout_fake_score_0", "dropout_student_0 dropout_denoisers_0")]
    [DataRow("sid", "dropout_fake_score_0", "dropout_student_0")]
    public void EveryMethodDropsWhereItsReleaseDoes(string method, string fakeScore, string student)
    {
        var network = Network(Ratio);
        var networks = new Dictionary<string, Network> { [Roles.Student] = network, [Roles.FakeScore] = network };
        foreach (var (phase, expected) in MethodCases.All.First(c => c.Name == method).Create().Phases.Zip([fakeScore, student]))
        {
            var graph = TrainingGraph.Build(phase, Task, network, networks);
            Assert.AreEqual(expected, string.Join(' ', graph.Feeds.Select(f => f.Name).Where(n => n.StartsWith("dropout", StringComparison.Ordinal))));
            Assert.IsEmpty(Dropouts(graph.Model));
        }
        // The same weights and the same masks in both denoisers: Diff-Instruct's student has nothing to learn.
        if (method == "diff-instruct")
            Assert.AreEqual(0, PhaseRun.Of(MethodCases.All.First(c => c.Name == method).Create().Phases[1], Task, network, networks).Loss);
    }

    [TestMethod]
    public void GradientsAreThoseOfTheLossWithTheMasksHeld()
    {
        var networks = new Dictionary<string, Network> { [Roles.Student] = Network(Ratio, hidden: 8) };
        var phase = new TrainingPhase("fit", [Roles.Student], c => FakeScoreLoss.Build(c, Roles.Student, c.NormalLikeBatch("y"), null, new NoiseLaw()));
        var run = PhaseRun.Of(phase, Task, null, networks);
        using var session = GraphSession.Create(run.Graph.Model);
        double Loss(IReadOnlyDictionary<string, TensorData> changes) =>
            session.Run(run.Feeds.ToDictionary(f => f.Key, f => changes.GetValueOrDefault(f.Key, f.Value)), [TrainingGraph.LossOutput])[TrainingGraph.LossOutput].ToDoubles()[0];
        var moved = networks[Roles.Student].Parameters.Select(p => new MovedTensor(TrainingGraph.ParameterInput(Roles.Student, p.Name), p.Constant!,
            run.Gradient(Roles.Student, p.Name))).ToList(); // a parameter is an initializer
        var found = DirectionalComparison.Of(moved, Loss, CentralDifference.SingleStep, directions: 8, seed: 1);
        // float32 losses, as in MethodTests.
        Assert.IsLessThanOrEqualTo(1e-3, found.Error, $"{found}");
    }

    [TestMethod]
    public void ARunWithDropoutIsTheSameResumedAndInParts()
    {
        using var files = new TestFiles();
        GaussianMixtureCsv.Write(files["mixture.csv"], Toys.TwoModes);
        OnnxWriter.Write(Model(Ratio, 8), files["network.onnx"]);
        TrainingProgram Program(params string[] settings) => TrainingProgram.Build(RecipeLoader.Resolve(JsonNode.Parse("""
            {
              "method": "denoising-score-matching", "data": { "mixture": "mixture.csv" }, "initial": "network.onnx",
              "training": { "batch": 8, "images": 64, "logImages": 16, "threads": 1, "lanes": 1, "optimizer": { "learningRate": 1e-2 } },
              "evaluation": { "samples": 0, "pictureSamples": 4 }
            }
            """)!.AsObject(), files.Folder, "fit", settings));
        var unbroken = Trainer.Run(Program(), files["a"], false, new SilentObserver(), CancellationToken.None);
        Trainer.Run(Program("training.images=32"), files["b"], false, new SilentObserver(), CancellationToken.None);
        var resumed = Trainer.Run(Program(), files["b"], true, new SilentObserver(), CancellationToken.None);
        CollectionAssert.AreEqual(File.ReadAllBytes(unbroken.GeneratorPath), File.ReadAllBytes(resumed.GeneratorPath));
        Assert.HasCount(1, Dropouts(OnnxReader.Read(resumed.GeneratorPath)));

        double SecondLoss(params string[] settings)
        {
            using var engine = new TrainingEngine(Program(settings));
            engine.Step();
            return engine.Step().Losses["fit"];
        }
        var whole = SecondLoss();
        // Sums come in another order: float32's rounding.
        Assert.AreEqual(whole, SecondLoss("training.lanes=2", "training.microBatch=2"), 1e-5 * whole);
    }

    /// <summary>PyTorch writes a network in training mode with its mask as a second output and true as a third input.</summary>
    [TestMethod]
    public void ATeacherExportedInTrainingModeNeitherDropsNorLosesItsDropouts()
    {
        using var files = new TestFiles();
        var b = new GraphBuilder("raw");
        var x = b.Input("state", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        var t = b.Input("t", ElementType.Float32, Shape.Of(Dim.Named("N")));
        var dropped = new Value("dropped", ElementType.Float32, x.KnownShape);
        b.Graph.Nodes.Add(new Node("Dropout", [b.Mul(x, 0.5), b.Scalar(Ratio), b.Constant(TensorData.Of([true]))], [dropped, new Value("mask", ElementType.Bool, x.KnownShape)]));
        b.Output("denoised", b.Add(dropped, b.Mul(b.PerSample(t, 2), 0)));
        OnnxWriter.Write(new OnnxModel(b.Graph), files["raw.onnx"]);
        var teacher = TeacherImporter.Import(files["raw.onnx"], new ImportOptions { Prediction = "denoiser" });
        var kept = Dropouts(teacher.AtBatch(3).Model).Single();
        Assert.AreEqual(Ratio, DropoutNodes.Ratio(kept)!.Value, 1e-7); // float32
        var denoised = Denoised(teacher.Model, 2);
        CollectionAssert.AreEqual(Inputs(4).Select(v => v / 2).ToArray(), denoised);
    }

    private static Node[] Dropouts(OnnxModel model) => [.. model.Graph.Nodes.Where(n => n.OpType == "Dropout")];

    // D = x + drop(silu(x w1)) w2, or x + drop(x w) without a hidden layer.
    private static Network Network(double ratio, int hidden = 0) => new Denoiser(Model(ratio, hidden)).AtBatch(Batch);

    private static OnnxModel Model(double ratio, int hidden)
    {
        var b = new GraphBuilder("drops");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(Dim.Named("N")));
        Value Weight(string name, int rows, int columns)
        {
            var data = new float[rows * columns];
            new NoiseStream(1, StreamId.Named(name)).FillNormal(data, 0);
            return b.Initializer(name, TensorData.Of(data, rows, columns));
        }
        var h = b.MatMul(x, Weight("w1", 2, hidden == 0 ? 2 : hidden));
        h = DropoutNodes.Emit(b, hidden == 0 ? h : b.Silu(h), ratio);
        if (hidden > 0)
            h = b.MatMul(h, Weight("w2", hidden, 2));
        b.Output(Denoiser.Denoised, b.Add(b.Add(x, h), b.Mul(b.PerSample(sigma, 2), 0)));
        var model = new OnnxModel(b.Graph);
        new TeacherCard { Data = "points", SigmaData = 1 }.WriteTo(model);
        return model;
    }

    private static float[] Inputs(int count = Batch * 2) => new TestRandom(4).FloatNormals(count);

    private static Value X(LossContext c) => c.B.Constant(TensorData.Of(Inputs(), Batch, 2));

    private static Value Sigma(LossContext c) => c.B.Constant(TensorData.Of([.. Enumerable.Repeat(1f, Batch)], Batch));

    private static float[] Denoised(OnnxModel model, params long[] image)
    {
        using var session = GraphSession.Create(model);
        long[] dims = image.Length == 2 ? [2, 1, .. image] : [2, .. image];
        return session.Run(new Dictionary<string, TensorData>
        {
            ["x"] = TensorData.Of(Inputs((int)dims.Aggregate((a, d) => a * d)), dims),
            ["sigma"] = TensorData.Of([1f, 1f], 2),
        })["denoised"].As<float>().ToArray();
    }

    // What the expressions are for draws of the masks, one after the other, and the feeds they declared. Roles "a", "b" have the same weights; "plain" never drops.
    private static (float[][] Values, IReadOnlyList<Feed> Feeds) Run(Func<LossContext, Value[]> expressions, int draws = 1)
    {
        var b = new GraphBuilder();
        var none = new Dictionary<string, Value>();
        var (drops, plain) = (Network(Ratio), Network(0));
        var context = new LossContext(b, Task, new Dictionary<string, LossContext.BoundNetwork> { ["a"] = new(drops, none), ["b"] = new(drops, none), ["plain"] = new(plain, none) });
        var values = expressions(context);
        for (var i = 0; i < values.Length; i++)
            b.Output($"value{i}", b.Mul(values[i], 1));
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        var results = values.Select(_ => new List<float>()).ToArray();
        for (var step = 0; step < draws; step++)
        {
            var feeds = context.Feeds.ToDictionary(f => f.Name, f =>
            {
                var numbers = new float[f.Dims.Aggregate((x, d) => x * d)];
                new NoiseStream(7, StreamId.Named(f.Name)).FillUniform(numbers, step);
                return TensorData.Of(numbers, f.Dims);
            });
            var outputs = session.Run(feeds);
            for (var i = 0; i < values.Length; i++)
                results[i].AddRange(outputs[$"value{i}"].As<float>());
        }
        return (Array.ConvertAll(results, r => r.ToArray()), context.Feeds);
    }
}
