using System.Text.Json;
using OnnxDistill.Artifacts;
using OnnxDistill.Data.Pairs;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>The artifacts suffice to train without this project.</summary>
[TestClass]
public sealed class ArtifactTests
{
    [TestMethod]
    [DataRow("diff-instruct", "options.fakeScoreUpdates=2")]
    [DataRow("dmd", "options.pairs.count=20")]
    [DataRow("sid", "training.optimizer={\"learningRate\":0.02,\"beta1\":0.9,\"weightDecay\":0.1,\"clipNorm\":1,\"warmUpImages\":16,\"finalFraction\":0.1}")]
    public void ThreeIterationsFromTheFilesAloneAreTheEngines(string method, string setting)
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, method, setting);
        ArtifactWriter.Write(program, files["artifacts"]);
        using var client = new RawClient(files["artifacts"]);
        using var engine = new TrainingEngine(program);
        for (var iteration = 0; iteration < 3; iteration++)
        {
            client.Iterate(iteration, (phase, input, update, count) => Noise(program, files["artifacts"], phase, input, update, count));
            var result = engine.Step();
            foreach (var (phase, loss) in client.Losses)
            {
                if (program.Graphs.Single(g => g.Phase.Name == phase).Phase.Updates == 1)
                    Assert.AreEqual(result.Losses[phase], loss, 1e-6 * Math.Max(1, Math.Abs(loss)));
            }
        }
        foreach (var (role, state) in engine.States)
        {
            foreach (var vector in state.Vectors)
            {
                var (expected, found) = (state.Current(vector).Span<float>().ToArray(), client.State(role, vector));
                Assert.HasCount(expected.Length, found);
                var scale = Math.Max(1, expected.Max(Math.Abs));
                for (var i = 0; i < expected.Length; i++)
                    // The same graphs and numbers; only the number of threads differs, and with it the order of sums.
                    Assert.AreEqual(expected[i], found[i], 1e-6 * scale, $"{role} {vector}[{i}]");
            }
            CollectionAssert.AreNotEqual(Initial(state), state.Current(OptimizerGraph.Weights).Span<float>().ToArray(), $"{role} has to have moved");
        }
    }

    [TestMethod]
    [DataRow("dmd")]
    [DataRow("sid")]
    public void TheManifestNamesEveryFileAndEveryInputAndOutput(string method)
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, method);
        var manifest = ArtifactWriter.Write(program, files["artifacts"]);
        string[] named = [.. manifest.Phases.Select(p => p.File), .. manifest.Networks.Select(n => n.OptimizerFile), .. manifest.Networks.SelectMany(n => n.Initial.Values), .. manifest.Pairs is { } pairs ? [pairs.File] : Array.Empty<string>(), manifest.Generator!.File, ArtifactWriter.ManifestFile]; // both methods make generators
        Assert.AreEqual(program.Pairs?.Count, manifest.Pairs?.Count);
        CollectionAssert.AreEquivalent(named, Directory.GetFiles(files["artifacts"]).Select(f => Path.GetFileName(f)).ToArray());
        foreach (var phase in manifest.Phases)
        {
            using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(Path.Combine(files["artifacts"], phase.File));
            CollectionAssert.AreEquivalent(session.InputNames.ToArray(), phase.Inputs.Select(i => i.Name).ToArray());
            CollectionAssert.AreEquivalent(session.OutputNames.ToArray(), phase.Outputs.Select(o => o.Name).ToArray());
            Assert.IsTrue(phase.Inputs.Where(i => i.Role == "noise").All(i => i.Distribution is "normal" or "uniform"));
        }
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(files["artifacts"], ArtifactWriter.ManifestFile)));
        var names = program.Networks.Select(n => OptimizerGraph.Scalars(n.Optimizer, n.HasEma)).SelectMany(s => s).Distinct();
        foreach (var scalar in names)
            Assert.IsTrue(json.RootElement.GetProperty("scalars").TryGetProperty(scalar, out _), scalar);
        Assert.AreEqual(program.Task.SigmaInit, json.RootElement.GetProperty("sigmaInit").GetDouble());
    }

    [TestMethod]
    [DataRow("sid", "training.seed=1")]
    [DataRow("sds", "generator={\"kind\":\"particles\",\"count\":5}")]
    public void TheGeneratorWithTheInitialWeightsDrawsWhatTheExportedOneDraws(string method, string setting)
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, method, setting);
        var generator = ArtifactWriter.Write(program, files["artifacts"]).Generator!; // both methods make one
        using var engine = new TrainingEngine(program);
        using var exported = GraphSession.Create(RunExport.Build(engine));
        using var open = GraphSession.Create(OnnxReader.Read(files["artifacts/generator.onnx"]));
        var z = new float[3 * program.Student.LatentShape[0]];
        new NoiseStream(1, StreamId.Latent).FillNormal(z, 0);
        var latents = TensorData.Of(z, 3, program.Student.LatentShape[0]);
        var flat = NpyFile.Read(files["artifacts/initial-student-ema.npy"]).As<float>().ToArray();
        var feeds = generator.Inputs.ToDictionary(i => i.Name, i => i.Role == "latent" ? latents
            : TensorData.Of(flat.AsSpan((int)i.Offset!.Value, (int)i.Shape.Aggregate(1L, static (n, d) => n * d)), i.Shape)); // parameters have offsets
        CollectionAssert.AreEqual(exported.Run(new Dictionary<string, TensorData> { ["z"] = latents }).Values.Single().As<float>().ToArray(),
            open.Run(feeds).Values.Single().As<float>().ToArray());
        CollectionAssert.AreEqual(new long[] { -1, 2 }, generator.Outputs.Single().Shape);
        Assert.AreEqual("points", generator.Data);
    }

    [TestMethod]
    public void AFitHasNoGenerator()
    {
        using var files = new TestFiles();
        Assert.IsNull(ArtifactWriter.Write(Toys.Program(files, DenoisingScoreMatching.MethodName), files["artifacts"]).Generator);
        Assert.IsFalse(File.Exists(files["artifacts/generator.onnx"]));
    }

    [TestMethod]
    public void AFolderWithFilesIsRefused()
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "sid");
        Directory.CreateDirectory(files["full"]);
        File.WriteAllText(Path.Combine(files["full"], "notes.txt"), "kept");
        Expect.Error<RunFolderException>(() => ArtifactWriter.Write(program, files["full"]), "not empty", "nothing was overwritten");
        Assert.HasCount(1, Directory.GetFiles(files["full"]));
    }

    // What the engine draws: by seed, a stream named after phase and input, and the update's number. Pairs are rows of the file.
    private static float[] Noise(TrainingProgram program, string folder, string phase, string input, int update, int count)
    {
        var feed = program.Graphs.Single(g => g.Phase.Name == phase).Feeds.Single(f => f.Name == input);
        var stream = new NoiseStream(program.Recipe.Recipe.Training.Seed, StreamId.Named($"{phase}/{input}"));
        var numbers = new float[count];
        if (feed.Kind is FeedKind.PairLatent or FeedKind.PairSample)
        {
            var pairs = PairFile.Read(Path.Combine(folder, "pairs.npz"), [2], 0);
            var batches = new PairBatches(pairs, program.Recipe.Recipe.Training.Seed, $"{phase}/pairs", program.Task.Batch, program.Task.Batch);
            if (feed.Kind == FeedKind.PairLatent)
                batches.Latents(update, 0, numbers);
            else
                batches.Samples(update, 0, numbers);
        }
        else if (feed.Kind == FeedKind.Normal)
            stream.FillNormal(numbers, update);
        else
            stream.FillUniform(numbers, update);
        return numbers;
    }

    private static float[] Initial(NetworkState state)
    {
        using var fresh = new NetworkState(state.Description);
        return fresh.Current(OptimizerGraph.Weights).Span<float>().ToArray();
    }
}
