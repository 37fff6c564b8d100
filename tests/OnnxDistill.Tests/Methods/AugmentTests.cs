using System.Text.Json.Nodes;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Methods.Augmentation;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Repository;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>EDM's augmentation in a graph: against the released code, against exact transformations, and in training.</summary>
[TestClass]
public sealed class AugmentTests
{
    private const int Side = 16;

    // Nothing is chosen: the draw is over every probability that a test has, the flip's of 1 apart.
    private const float Never = 0.999f;

    // Columns of the uniform draws.
    private const int FlipXHalf = 0, FlipX = 1, FlipYHalf = 2, FlipY = 3, Scale = 4, Angle = 5, Rotate = 6, Translate = 10;

    [TestMethod]
    public void ItIsTheReleasedAugmentation()
    {
        var fixture = NpzFile.Read(RepositoryRoot.Of("tests/OnnxDistill.Tests/Methods/Fixtures/augment-seed1.npz"));
        var (images, labels) = Run(fixture["images"], fixture["uniform"], fixture["normal"], new AugmentOptions { Probability = 0.6 });
        var moved = fixture["labels"].ToDoubles().Chunk(Network.AugmentLabels).Count(l => l.Skip(2).Any(v => v != 0));
        Assert.IsGreaterThan(6, moved, "most of the twelve images are resampled");
        // Labels are a few float32 operations; pixels of size 3 go through four filters and places of 1e-6 of an image.
        Near(fixture["labels"].ToDoubles(), labels, 1e-6);
        Near(fixture["augmented"].ToDoubles(), images, 1e-4);
    }

    [TestMethod]
    public void AnImageThatNothingIsDrawnForStaysAsItIs()
    {
        var image = Noise();
        var (images, labels) = Run(image, Draws(), Sizes(1, 1, 1, 1), new AugmentOptions { Probability = 0.12 });
        CollectionAssert.AreEqual(image.ToDoubles(), images);
        CollectionAssert.AreEqual(new double[Network.AugmentLabels], labels);
    }

    [TestMethod]
    public void FlipsAreExact()
    {
        var image = Noise().ToDoubles();
        // Left to right comes at any probability.
        var (mirrored, labels) = Run(Noise(), Draws((FlipX, 0.9f), (FlipXHalf, 0.7f)), Sizes(), new AugmentOptions { Probability = 0.01 });
        CollectionAssert.AreEqual(Mapped(image, (y, x) => (y, Side - 1 - x)), mirrored);
        CollectionAssert.AreEqual(new double[] { 1, 0, 0, 0, 0, 0, 0, 0, 0 }, labels);
        (mirrored, labels) = Run(Noise(), Draws((FlipY, 0.1f), (FlipYHalf, 0.7f)), Sizes(), new AugmentOptions { Probability = 0.12 });
        CollectionAssert.AreEqual(Mapped(image, (y, x) => (Side - 1 - y, x)), mirrored);
        CollectionAssert.AreEqual(new double[] { 0, 1, 0, 0, 0, 0, 0, 0, 0 }, labels);
        var (same, _) = Run(Noise(), Draws((FlipX, 0.1f), (FlipXHalf, 0.2f)), Sizes(), new AugmentOptions { Probability = 0.12 });
        CollectionAssert.AreEqual(image, same);
    }

    [TestMethod]
    public void AMovementByWholePixelsMovesThePixels()
    {
        // 3 to the right and 2 down, in deviations of an eighth of 16 pixels.
        var (images, labels) = Run(Noise(), Draws((Translate, 0)), Sizes(0, 0, 1.5f, 1), new AugmentOptions { Probability = 0.9 });
        // What comes in is reflected; the wavelet gives back what it was given but for float32's rounding.
        Near(Mapped(Noise().ToDoubles(), (y, x) => (Math.Abs(y - 2), Math.Abs(x - 3))), images, 2e-5);
        Near([0, 0, 0, 0, 0, 0, 0, 1.5, 1], labels, 1e-6);
    }

    [TestMethod]
    public void AQuarterTurnTurnsTheImage()
    {
        var (images, labels) = Run(Wave(), Draws((Rotate, 0), (Angle, 0.75f)), Sizes(), new AugmentOptions { Probability = 0.9 });
        // sym6's centre of mass lies a twentieth of a pixel beside the place that the resampling takes for it, along both axes and on both ways; turned, the two
        // do not make up for each other: below 0.15 pixels, times the wave's steepest slope. The released code is off by as much.
        Near(Mapped(Wave().ToDoubles(), (y, x) => (x, Side - 1 - y)), images, 0.15 * 2 * Math.PI / Side);
        Near([0, 0, 0, -1, 1, 0, 0, 0, 0], labels, 1e-6);
    }

    [TestMethod]
    public void ScalingByTwoShowsTheMiddleTwiceAsLarge()
    {
        var (images, _) = Run(Wave(), Draws((Scale, 0)), Sizes(5), new AugmentOptions { Probability = 0.9 });
        // exp2(5 · 0.2) = 2: a pixel p from the middle shows the place p / 2; linear interpolation loses a little of a smooth wave.
        Near([.. Grid().Select(p => WaveAt(p.Y / 2, p.X / 2))], images, 0.02);
    }

    [TestMethod]
    public void TheWaveletIsOrthonormalWithSixVanishingMoments()
    {
        var h = ImageWarp.Sym6;
        for (var shift = 0; shift < 6; shift++)
            Assert.AreEqual(shift == 0 ? 1 : 0, Enumerable.Range(0, 12 - (2 * shift)).Sum(k => h[k] * h[k + (2 * shift)]), 1e-11, "sixteen printed digits, twelve products");
        Assert.AreEqual(Math.Sqrt(2), h.Sum(), 1e-11);
        for (var moment = 0; moment < 6; moment++)
            Assert.AreEqual(0, Enumerable.Range(0, 12).Sum(k => Math.Pow(-1, k) * Math.Pow((k - 5.5) / 5.5, moment) * h[k]), 1e-10);
    }

    [TestMethod]
    public void ANetworkIsToldByLabelsAndTakesZerosWithoutThem()
    {
        var denoiser = SmallNetwork(augment: true);
        CollectionAssert.AreEqual(new[] { "x", "sigma" }, denoiser.Model.Graph.Inputs.Select(i => i.Name).ToArray());
        var (with, without) = (denoiser.AtBatch(2), SmallNetwork(augment: false).AtBatch(2));
        Assert.IsTrue(with.TakesAugment && denoiser.AtAnyBatch().TakesAugment && !without.TakesAugment);
        // 9 labels to the 4 numbers of the level's embedding, no bias; the labels themselves are not trained.
        CollectionAssert.AreEqual(new[] { "map_augment.weight" }, with.Parameters.Select(p => p.Name).Except(without.Parameters.Select(p => p.Name)).ToArray());
        Assert.AreEqual(36, with.ParameterCount - without.ParameterCount);
        double[] Denoised(float[]? labels)
        {
            var b = new GraphBuilder();
            var x = b.Constant(TensorData.Of(new TestRandom(3).FloatNormals(2 * 64), 2, 1, 8, 8));
            var augment = labels is null ? null : b.Constant(TensorData.Of([.. labels, .. labels], 2, 9));
            // As drawn, its last layers say next to nothing.
            var weights = with.Parameters.ToDictionary(p => p.Name, p => b.Constant(TensorData.Of(new TestRandom(5).FloatNormals((int)p.Constant!.ElementCount), p.Constant.Dims)));
            b.Output("y", b.Mul(with.Denoise(b, "network", x, b.Constant(TensorData.Of([0.3f, 0.9f], 2)), null, weights, augment: augment), 1));
            using var session = GraphSession.Create(new OnnxModel(b.Graph));
            return session.Run(new Dictionary<string, TensorData>())["y"].ToDoubles();
        }
        CollectionAssert.AreEqual(Denoised(null), Denoised(new float[9]));
        CollectionAssert.AreNotEqual(Denoised(null), Denoised([1, 0, 0, 0, 0, 0, 0, 0, 0]));
    }

    [TestMethod]
    public void TheLabelsLayerLearnsWhereLabelsAreGivenOnly()
    {
        var network = SmallNetwork(augment: true).AtBatch(4);
        var task = new DistillationTask(4, [1, 8, 8], 0.5, 0.5, 0);
        double[] Gradient(double probability)
        {
            var phase = new TrainingPhase("fit", [Roles.Student], c =>
                FakeScoreLoss.Build(c, Roles.Student, c.NormalLikeBatch("y"), null, new NoiseLaw(), new AugmentOptions { Probability = probability }));
            return PhaseRun.Of(phase, task, null, new Dictionary<string, Network> { [Roles.Student] = network }).Gradient(Roles.Student, "map_augment.weight");
        }
        Assert.IsTrue(Gradient(0).All(g => g == 0));
        Assert.IsGreaterThan(30, Gradient(1).Count(g => g != 0), "of 36");
    }

    [TestMethod]
    public void AFitWithAugmentationIsTheSameResumedAndSavesACleanDenoiser()
    {
        using var files = new TestFiles();
        var program = TrainingProgram.Build(Recipe(files));
        Assert.IsTrue(program.Graphs[0].Feeds.All(f => f.Dims[0] == 8), "parts of a batch draw what the whole would, when the batch comes first");
        var unbroken = Trainer.Run(program, files["a"], false, new SilentObserver(), CancellationToken.None);
        Trainer.Run(TrainingProgram.Build(Recipe(files, "training.images=16")), files["b"], false, new SilentObserver(), CancellationToken.None);
        var resumed = Trainer.Run(TrainingProgram.Build(Recipe(files)), files["b"], true, new SilentObserver(), CancellationToken.None);
        CollectionAssert.AreEqual(File.ReadAllBytes(unbroken.GeneratorPath), File.ReadAllBytes(resumed.GeneratorPath));
        var teacher = Denoiser.Load(resumed.GeneratorPath);
        Assert.IsTrue(teacher.AtAnyBatch().TakesAugment, "a fake score that starts from it can be told too");
        var labels = teacher.Model.Graph.Initializers.Single(i => i.Name == Network.Augment);
        CollectionAssert.AreEqual(new double[9], labels.Constant!.ToDoubles()); // an initializer
    }

    [TestMethod]
    public void ANetworkThatCannotBeToldIsRefused()
    {
        using var files = new TestFiles();
        Expect.Error<RecipeException>(() => TrainingProgram.Build(Recipe(files, "network.augment=false")), "cannot be told", "\"augment\": true", "probability");
    }

    private static LoadedRecipe Recipe(TestFiles files, params string[] settings)
    {
        files.Write("images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 8, 0, 0, 0, 8, .. Enumerable.Range(0, 20 * 64).Select(i => (byte)(i * 37))]);
        return RecipeLoader.Resolve(JsonNode.Parse("""
            {
              "method": "denoising-score-matching", "options": { "augment": { "probability": 0.5 } }, "data": { "images": "images-idx3-ubyte" },
              "network": { "kind": "song-unet", "channels": 4, "multipliers": [1, 1], "blocks": 1, "attentionResolutions": [], "augment": true, "dropout": 0.1 },
              "training": { "batch": 8, "images": 32, "logImages": 16, "threads": 1, "lanes": 1, "optimizer": { "learningRate": 5e-3 } },
              "evaluation": { "samples": 0, "pictureSamples": 4, "samplerSteps": 2 }
            }
            """)!.AsObject(), files.Folder, "fit", settings);
    }

    private static Denoiser SmallNetwork(bool augment) => SongUNet.Build(
        new SongUNetOptions { Channels = 4, Multipliers = [1, 1], Blocks = 1, AttentionResolutions = [], Augment = augment }, new TeacherCard(), 1, 8, 8);

    private static (double[] Images, double[] Labels) Run(TensorData images, TensorData uniform, TensorData normal, AugmentOptions options)
    {
        var b = new GraphBuilder();
        var context = new LossContext(b, new DistillationTask((int)images.Dims[0], [.. images.Dims.Skip(1)], 0.5, 0.5, 0), new Dictionary<string, LossContext.BoundNetwork>());
        var (augmented, labels) = AugmentPipe.Apply(context, b.Input("images", ElementType.Float32, images.Shape), options);
        b.Output("augmented", b.Mul(augmented, 1));
        b.Output("labels", labels);
        Graph.Passes.PassPipeline.Final.Run(b.Graph);
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        var results = session.Run(new Dictionary<string, TensorData> { ["images"] = images, [AugmentPipe.Choices] = uniform, [AugmentPipe.Sizes] = normal });
        return (results["augmented"].ToDoubles(), results["labels"].ToDoubles());
    }

    private static TensorData Draws(params (int Column, float Draw)[] chosen)
    {
        var draws = Enumerable.Repeat(Never, AugmentPipe.ChoiceCount).ToArray();
        // Every other image that is chosen is mirrored: not this one.
        (draws[FlipXHalf], draws[FlipYHalf]) = (0.2f, 0.2f);
        foreach (var (column, draw) in chosen)
            draws[column] = draw;
        return TensorData.Of(draws, 1, AugmentPipe.ChoiceCount);
    }

    private static TensorData Sizes(float scale = 0, float stretch = 0, float right = 0, float down = 0) => TensorData.Of([scale, stretch, right, down], 1, AugmentPipe.SizeCount);

    private static TensorData Noise() => TensorData.Of(new TestRandom(6).FloatNormals(Side * Side), 1, 1, Side, Side);

    // A smooth image without symmetries, by distance from the middle in pixels.
    private static double WaveAt(double y, double x) => Math.Sin((2 * Math.PI * x / Side) + 0.4) * Math.Cos((Math.PI * y / Side) - 0.3);

    private static TensorData Wave() => TensorData.Of([.. Grid().Select(p => (float)WaveAt(p.Y, p.X))], 1, 1, Side, Side);

    private static IEnumerable<(double Y, double X)> Grid() => Enumerable.Range(0, Side * Side).Select(i => ((i / Side) - ((Side - 1) / 2.0), (i % Side) - ((Side - 1) / 2.0)));

    private static double[] Mapped(double[] image, Func<int, int, (int Y, int X)> source) => [.. Enumerable.Range(0, Side * Side).Select(i =>
    {
        var (y, x) = source(i / Side, i % Side);
        return image[(y * Side) + x];
    })];

    private static void Near(double[] expected, double[] found, double tolerance)
    {
        Assert.HasCount(expected.Length, found);
        var worst = expected.Zip(found, (e, f) => Math.Abs(e - f)).Max();
        Assert.IsLessThan(tolerance, worst);
    }
}
