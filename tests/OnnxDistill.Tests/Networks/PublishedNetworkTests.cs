using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Networks;

/// <summary>The built-in image networks against the published code: sizes, and numbers that tools/make_network_fixtures.py had computed by it.</summary>
[TestClass]
public sealed class PublishedNetworkTests
{
    private const string WeightPath = "weight/", Frequencies = "map_noise.freqs";

    // Seen: 3e-7, float32's rounding.
    private const double Rounding = 2e-6;

    // DiT's angles go up to 1,000 radians, where float32 steps by 6e-5.
    private const double LargeAngles = 5e-5;

    private static readonly SongUNetOptions NcsnPlusPlus = new()
    {
        Embedding = NoiseEmbedding.Fourier,
        NoiseMultiplier = 2,
        Encoder = EncoderKind.Residual,
        ResampleFilter = [1, 3, 3, 1],
    };

    // Counted in the released code, without DiT's predicted variances.
    private static IEnumerable<object[]> Sizes =>
    [
        ["DDPM++ for CIFAR-10", 55_732_739L, () => SongUNet.Build(new SongUNetOptions(), new TeacherCard(), 3, 32, 32)],
        // EDM trains its CIFAR-10 networks with nine augmentation labels: 9 x 128 weights more.
        ["DDPM++ for CIFAR-10, as EDM trains it", 55_733_891L, () => SongUNet.Build(new SongUNetOptions { Augment = true }, new TeacherCard(), 3, 32, 32)],
        ["NCSN++ for CIFAR-10", 56_395_523L, () => SongUNet.Build(NcsnPlusPlus, new TeacherCard(), 3, 32, 32)],
        ["ADM for ImageNet-64", 295_899_267L, () => DhariwalUNet.Build(new DhariwalUNetOptions(), new TeacherCard { Labels = 1000 }, 3, 64, 64)],
        ["DiT-S/2", 32_858_896L, () => Dit.Build(new DitOptions(), new TeacherCard { Labels = 1000 }, 4, 32, 32)],
    ];

    private static IEnumerable<object[]> Fixtures =>
    [
        ["ddpmpp", Song(new() { Channels = 8, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [8] }, 0), Rounding],
        ["ddpmpp-labels", Song(new() { Channels = 8, Multipliers = [2, 1], Blocks = 1, AttentionResolutions = [16] }, 3), Rounding],
        ["ncsnpp", Song(NcsnPlusPlus with { Channels = 8, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [8] }, 0), Rounding],
        ["adm", () => DhariwalUNet.Build(new DhariwalUNetOptions { Channels = 8, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [8], ChannelsPerHead = 8 },
            new TeacherCard { Labels = 3 }, 2, 16, 16), Rounding],
        ["ddpmpp-augment", Song(new() { Channels = 8, Multipliers = [1], Blocks = 1, AttentionResolutions = [], Augment = true }, 0), Rounding],
        ["adm-augment", () => DhariwalUNet.Build(new DhariwalUNetOptions { Channels = 8, Multipliers = [1], Blocks = 1, AttentionResolutions = [], ChannelsPerHead = 8, Augment = true },
            new TeacherCard(), 2, 16, 16), Rounding],
        ["dit", () => Dit.Build(new DitOptions { Width = 24, Depth = 2, Heads = 2 }, new TeacherCard { Labels = 3 }, 2, 16, 16), LargeAngles],
    ];

    [TestMethod]
    [DynamicData(nameof(Sizes))]
    public void TheDefaultsAreThePublishedSizes(string name, long parameters, Func<Denoiser> build) =>
        Assert.AreEqual(parameters, build().AtAnyBatch().ParameterCount, name);

    [TestMethod]
    [DynamicData(nameof(Fixtures))]
    public void WithThePublishedWeightsItGivesThePublishedNumbers(string name, Func<Denoiser> build, double tolerance)
    {
        var arrays = NpzFile.Read(RepositoryRoot.Of($"tests/OnnxDistill.Tests/Networks/Fixtures/{name}-seed1.npz"));
        var model = build().Model;
        SetWeights(model, arrays);
        using var session = GraphSession.Create(model);
        var found = session.Run(session.Inputs.ToDictionary(i => i.Name, i => arrays[i.Name]))["denoised"].ToDoubles();
        var expected = arrays["denoised"].ToDoubles();
        var (error, length) = (expected.Zip(found, static (e, f) => (e - f) * (e - f)).Sum(), expected.Sum(static e => e * e));
        Assert.IsLessThan(tolerance, Math.Sqrt(error / length), name);
    }

    [TestMethod]
    public void RotationsKeepLengthsAndSeeOnlyDifferencesOfPlaces()
    {
        // A 4 by 4 image of tokens with the same query and key everywhere: scores depend on how far apart two tokens lie, and on nothing else.
        var g = new GraphBuilder();
        var x = g.Input("x", ElementType.Float32, Shape.Of(1, 1, 16, 8));
        var turned = PlaceEmbedding.Rotate(g, x, PlaceEmbedding.Rotation(g, 4, 8));
        g.Output("scores", g.MatMul(turned, g.TransposeLast(turned)));
        using var session = GraphSession.Create(new OnnxModel(g.Graph));
        float[] query = [0.3f, -1.2f, 0.7f, 2, 0.1f, 0.9f, -0.4f, 1.1f];
        var scores = session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Of([.. Enumerable.Repeat(query, 16).SelectMany(q => q)], 1, 1, 16, 8) })["scores"].ToDoubles();
        double Score(int row, int column, int otherRow, int otherColumn) => scores[(((row * 4) + column) * 16) + (otherRow * 4) + otherColumn];
        Assert.AreEqual(query.Sum(q => (double)q * q), Score(2, 3, 2, 3), 1e-5); // roundings of eight products
        Assert.AreEqual(Score(0, 0, 1, 2), Score(2, 1, 3, 3), 1e-5);
        Assert.AreNotEqual(Score(0, 0, 1, 2), Score(0, 0, 2, 1), 1e-2);
    }

    [TestMethod]
    public void AFreshTransformerPredictsNothing()
    {
        // adaLN-zero: F = 0, so D = c_skip x = x / 2 at sigma = sigma_data.
        using var session = GraphSession.Create(Dit.Build(new DitOptions { Width = 32, Depth = 1, Heads = 2, Rotary = true }, new TeacherCard(), 1, 8, 8).Model);
        var x = Enumerable.Range(0, 64).Select(i => i / 64f).ToArray();
        var denoised = session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Of(x, 1, 1, 8, 8), ["sigma"] = TensorData.Of([0.5f], 1) })["denoised"].ToDoubles();
        foreach (var (a, b) in x.Zip(denoised))
            Assert.AreEqual(a / 2, b, 1e-6); // one rounding
    }

    [TestMethod]
    public void ASampleThatDoesNotHalveEvenlyIsRefused()
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => SongUNet.Build(new SongUNetOptions { Channels = 8 }, new TeacherCard(), 1, 30, 30));
        StringAssert.Contains(error.Message, "a multiple of 4 for 3 resolutions");
    }

    private static Func<Denoiser> Song(SongUNetOptions options, int labels) => () => SongUNet.Build(options, new TeacherCard { Labels = labels }, 2, 16, 16);

    private static void SetWeights(OnnxModel model, OrderedDictionary<string, TensorData> arrays)
    {
        var weights = arrays.Where(a => a.Key.StartsWith(WeightPath, StringComparison.Ordinal)).ToDictionary(a => a.Key[WeightPath.Length..], a => a.Value);
        var trained = new Denoiser(model).AtAnyBatch().Parameters.Select(p => p.Name).ToList();
        CollectionAssert.IsSubsetOf(trained, weights.Keys, "weights that the published network does not have");
        foreach (var initializer in model.Graph.Initializers)
        {
            // The labels of the batch in the place of the zeros that the file has.
            if (initializer.Name == Network.Augment)
                initializer.Constant = arrays[Network.Augment];
            else if (weights.Remove(initializer.Name, out var weight))
            {
                CollectionAssert.AreEqual(initializer.Constant!.Dims, weight.Dims, initializer.Name); // an initializer has a constant
                initializer.Constant = weight;
            }
        }
        // The one tensor that is drawn and not trained; the released buffer has the deviation in it, and 2 pi beside it.
        if (weights.Remove(Frequencies, out var frequencies))
        {
            var constant = model.Graph.Initializers.Single(i => i.Constant!.Dims is [1, var half] && half == frequencies.Dims[0]);
            constant.Constant = TensorData.Of([.. frequencies.ToDoubles().Select(f => (float)(2 * Math.PI * f))], 1, frequencies.Dims[0]);
        }
        Assert.IsEmpty(weights, "weights that the network does not have");
    }
}
