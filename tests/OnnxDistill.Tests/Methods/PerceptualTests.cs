using System.Text.Json.Nodes;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Methods;

/// <summary>Distances by a frozen network of the user's: what it is given, what is made of its answer, and the gradient through it.</summary>
[TestClass]
public sealed class PerceptualTests
{
    private const int Batch = 3;

    private static readonly float[] Y = new TestRandom(2).FloatNormals(Batch * 16);
    private static readonly float[] X = new TestRandom(1).FloatNormals(Batch * 16);
    private static readonly float[] Kernel = new TestRandom(3).FloatNormals(2 * 9);

    /// <summary>d = mean over N of mean (a - b)² of what the network is given: ((v + 1) / 2 - mean) / deviation, so that of pixels over 4 deviation².</summary>
    [TestMethod]
    [DataRow(1, 4)]
    [DataRow(3, 4)]
    public void ANetworkOfTwoInputsGivesTheDistance(int channels, int size)
    {
        using var files = new TestFiles();
        WriteDistance(files["lpips.onnx"], channels, size, batch: 1);
        var options = new PerceptualOptions { Model = files["lpips.onnx"], Mean = [0.3], Deviation = [0.25] };
        Assert.AreEqual(X.Zip(Y, (x, y) => (x - y) * (x - y)).Average() / 4 / 0.0625, Distance(options), 1e-4); // float32, relative to about 8
    }

    [TestMethod]
    public void AFileThatLeavesItsSizeOpenGetsTheSizeOfTheOption()
    {
        using var files = new TestFiles();
        WriteDistance(files["lpips.onnx"], channels: 3, size: null, batch: null);
        // Images that are constant are so at any size.
        float[] x = [.. Enumerable.Repeat(0.5f, Batch * 16)], y = [.. Enumerable.Repeat(-0.25f, Batch * 16)];
        foreach (var size in new[] { 4, 7, 32, 0 })
        {
            var options = new PerceptualOptions { Model = files["lpips.onnx"], Size = size };
            var b = new GraphBuilder();
            var context = Context(b);
            b.Output("d", PerceptualDistance.Between(context, options, Images(b, x), Images(b, y)));
            var extent = size > 0 ? size : 224;
            if (size != 4)
                Assert.IsTrue(b.Graph.Nodes.Exists(n => n.OpType == "Resize" && n.Output.Shape.Equals(Shape.Of(Batch, 1, extent, extent))), $"{size}");
            using var session = GraphSession.Create(new OnnxModel(b.Graph));
            Assert.AreEqual(0.375 * 0.375, session.Run(new Dictionary<string, TensorData>())["d"].ToDoubles()[0], 1e-6); // float32
        }
    }

    [TestMethod]
    [DataRow(false, "")]
    [DataRow(true, "")]
    [DataRow(false, "relu")]
    [DataRow(true, "conv,relu")]
    public void ANetworkOfOneInputGivesFeaturesThatAreCompared(bool normalize, string tensors)
    {
        using var files = new TestFiles();
        WriteFeatures(files["features.onnx"]);
        string[] names = tensors.Length == 0 ? ["relu", "out"] : tensors.Split(',');
        var expected = names.Sum(name =>
        {
            var (a, c) = (Features(X, name, normalize), Features(Y, name, normalize));
            return a.Zip(c, (u, v) => (u - v) * (u - v)).Average();
        });
        var options = new PerceptualOptions { Model = files["features.onnx"], Tensors = tensors.Length == 0 ? [] : names, Normalize = normalize };
        Assert.AreEqual(expected, Distance(options), 1e-5 * expected); // float32
    }

    [TestMethod]
    [DataRow("distance")]
    [DataRow("features")]
    [DataRow("pixels")]
    public void GradientsReachTheSampleThroughTheFrozenNetwork(string form)
    {
        using var files = new TestFiles();
        WriteDistance(files["distance.onnx"], channels: 3, size: 8, batch: null);
        WriteFeatures(files["features.onnx"]);
        var options = new PerceptualOptions { Model = form == "pixels" ? "" : files[$"{form}.onnx"], Normalize = true };
        var phase = new TrainingPhase("student", [Roles.Student], c => PerceptualDistance.Between(c, options, c.B.Reshape(c.Student(c.Latent(), null), Shape.Of(Batch, 1, 4, 4)), Images(c.B, Y)));
        var task = new DistillationTask(Batch, [1, 4, 4], 0.5, 1, 0) { LatentShape = [16] };
        var networks = new Dictionary<string, Network> { [Roles.Student] = TestNetworks.Sample(X, Batch) };
        var run = PhaseRun.Of(phase, task, null, networks);
        Assert.AreEqual(1, run.Graph.Model.Graph.Inputs.Count(i => i.Name.Contains('/', StringComparison.Ordinal)), "the network's weights are constants");

        using var session = GraphSession.Create(run.Graph.Model);
        var name = TrainingGraph.ParameterInput(Roles.Student, TestNetworks.SampleParameter);
        double Loss(IReadOnlyDictionary<string, TensorData> moved) => session.Run(new Dictionary<string, TensorData>(run.Feeds) { [name] = moved[name] })[TrainingGraph.LossOutput].ToDoubles()[0];
        var found = DirectionalComparison.Of([new MovedTensor(name, run.Feeds[name], run.Gradient(Roles.Student, TestNetworks.SampleParameter))], Loss, CentralDifference.SingleStep, directions: 8, seed: 1);
        // float32 losses, as in MethodTests.
        Assert.IsLessThanOrEqualTo(1e-3, found.Error, $"{form}: {found}");
    }

    [TestMethod]
    [DataRow("size", "[N, 1, 4, 4]", "found 5", "Leave the size out")]
    [DataRow("channels", "takes 3 channels", "2 means")]
    [DataRow("tensor", "no tensor 'pool'")]
    [DataRow("points", "samples are [2]", "mean squared error")]
    [DataRow("tensors of a distance", "two batches", "one distance")]
    [DataRow("no images", "'a' Float32[N, 7]", "expected one batch of images")]
    public void WhatDoesNotFitIsToldWithACure(string fault, params string[] words)
    {
        using var files = new TestFiles();
        var path = files["network.onnx"];
        WriteFeatures(path);
        if (fault is "channels" or "tensors of a distance")
            WriteDistance(path, 3, 4, batch: null);
        if (fault == "no images")
        {
            var b = new GraphBuilder();
            b.Output("y", b.Relu(b.Input("a", ElementType.Float32, Shape.Of(Dim.Named("N"), 7))));
            OnnxWriter.Write(new OnnxModel(b.Graph), path);
        }
        var options = new PerceptualOptions
        {
            Model = path,
            Size = fault == "size" ? 5 : 0,
            Mean = fault == "channels" ? [0.5, 0.5] : [0],
            Tensors = fault == "tensor" ? ["pool"] : fault == "tensors of a distance" ? ["y"] : [],
        };
        var graph = new GraphBuilder();
        var context = new LossContext(graph, new DistillationTask(Batch, fault == "channels" ? [2, 4, 4] : fault == "points" ? [2] : [1, 4, 4], 0.5, 1, 0), new Dictionary<string, LossContext.BoundNetwork>());
        Expect.Error<RecipeException>(() => PerceptualDistance.Between(context, options, Images(graph, X), Images(graph, Y)), ["network.onnx", .. words]);
    }

    /// <summary>Its file may move, its content is part of what a run's states belong to.</summary>
    [TestMethod]
    public void TheNetworksContentIsPartOfTheRun()
    {
        using var files = new TestFiles();
        var teacher = SongUNet.Build(new SongUNetOptions { Channels = 8, Multipliers = [1], Blocks = 1, AttentionResolutions = [] }, new TeacherCard(), 1, 4, 4);
        OnnxWriter.Write(teacher.Model, files["teacher.onnx"]);
        Directory.CreateDirectory(files["other"]);
        WriteDistance(files["lpips.onnx"], 1, 4, batch: null);
        File.Copy(files["lpips.onnx"], files["other/moved.onnx"]);
        WriteFeatures(files["features.onnx"]);
        byte[] Identity(string model)
        {
            var recipe = new JsonObject
            {
                ["method"] = "dmd",
                ["teacher"] = "teacher.onnx",
                ["options"] = new JsonObject { ["perceptual"] = new JsonObject { ["model"] = model } },
                ["training"] = new JsonObject { ["batch"] = 2, ["threads"] = 1 },
            };
            // Paths are relative to the recipe.
            using var engine = new TrainingEngine(TrainingProgram.Build(RecipeLoader.Resolve(recipe, files.Folder, "toy", [])));
            return TrainingState.Identity(engine);
        }
        CollectionAssert.AreEqual(Identity("lpips.onnx"), Identity("other/moved.onnx"));
        CollectionAssert.AreNotEqual(Identity("lpips.onnx"), Identity("features.onnx"));
    }

    private static double Distance(PerceptualOptions options)
    {
        var b = new GraphBuilder();
        b.Output("d", PerceptualDistance.Between(Context(b), options, Images(b, X), Images(b, Y)));
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        return session.Run(new Dictionary<string, TensorData>())["d"].ToDoubles()[0];
    }

    private static LossContext Context(GraphBuilder b) => new(b, new DistillationTask(Batch, [1, 4, 4], 0.5, 1, 0), new Dictionary<string, LossContext.BoundNetwork>());

    private static Value Images(GraphBuilder b, float[] pixels) => b.Constant(TensorData.Of(pixels, Batch, 1, 4, 4));

    // mean (a - b)² of each sample, [N, 1, 1, 1], as exports of LPIPS give it.
    private static void WriteDistance(string path, int channels, int? size, int? batch)
    {
        var b = new GraphBuilder("distance");
        Dim Extent(string name) => size is { } known ? known : Dim.Named(name);
        var shape = new Shape([batch is { } fixedTo ? fixedTo : Dim.Named("N"), channels, Extent("H"), Extent("W")]);
        var difference = b.Sub(b.Input("a", ElementType.Float32, shape), b.Input("b", ElementType.Float32, shape));
        b.Output("d", b.ReduceMean(b.Square(difference), [1, 2, 3]));
        OnnxWriter.Write(new OnnxModel(b.Graph), path);
    }

    // Convolution 3 x 3 to two channels, ReLU, and twice that as a second output.
    private static void WriteFeatures(string path)
    {
        var b = new GraphBuilder("features");
        var x = b.Input("x", ElementType.Float32, new Shape([Dim.Named("N"), 1, 4, 4]));
        var conv = b.Conv(x, b.Initializer("kernel", TensorData.Of(Kernel, 2, 1, 3, 3)));
        conv.Name = "conv";
        var relu = b.Output("relu", b.Relu(conv));
        b.Output("out", b.Mul(relu, 2));
        OnnxWriter.Write(new OnnxModel(b.Graph), path);
    }

    // The same in double: [N, 2, 2, 2].
    private static double[] Features(float[] images, string name, bool normalize)
    {
        var result = new double[Batch * 8];
        for (var i = 0; i < result.Length; i++)
        {
            var (n, channel, row, column) = (i / 8, i / 4 % 2, i / 2 % 2, i % 2);
            var sum = Enumerable.Range(0, 9).Sum(k => Kernel[(channel * 9) + k] * (images[(n * 16) + ((row + (k / 3)) * 4) + column + (k % 3)] + 1.0) / 2);
            result[i] = name == "conv" ? sum : Math.Max(sum, 0) * (name == "out" ? 2 : 1);
        }
        return !normalize ? result : [.. result.Select((f, i) => f / Math.Sqrt(Math.Pow(result[(i / 8 * 8) + (i % 4)], 2) + Math.Pow(result[(i / 8 * 8) + 4 + (i % 4)], 2) + 1e-10))];
    }
}
