using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Networks;

/// <summary>DDPM++ and NCSN++ against the published code: sizes, and numbers that tools/make_network_fixtures.py had computed by it in float64.</summary>
[TestClass]
public sealed class SongUNetTests
{
    private const string WeightPath = "weight/", Frequencies = "map_noise.freqs";

    private static readonly SongUNetOptions NcsnPlusPlus = new()
    {
        Embedding = NoiseEmbedding.Fourier,
        NoiseMultiplier = 2,
        Encoder = EncoderKind.Residual,
        ResampleFilter = [1, 3, 3, 1],
    };

    private static IEnumerable<object[]> Fixtures =>
    [
        ["ddpmpp", new SongUNetOptions { Channels = 8, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [8] }, 0],
        ["ddpmpp-labels", new SongUNetOptions { Channels = 8, Multipliers = [2, 1], Blocks = 1, AttentionResolutions = [16] }, 3],
        ["ncsnpp", NcsnPlusPlus with { Channels = 8, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [8] }, 0],
    ];

    // Counted in the released code for 32x32 colour images, without its augmentation input.
    [TestMethod]
    public void TheDefaultIsThePublishedDdpmPlusPlus() =>
        Assert.AreEqual(55_732_739, SongUNet.Build(new SongUNetOptions(), new TeacherCard(), 3, 32, 32).AtAnyBatch().ParameterCount);

    [TestMethod]
    public void ItsOtherSettingsAreThePublishedNcsnPlusPlus() =>
        Assert.AreEqual(56_395_523, SongUNet.Build(NcsnPlusPlus, new TeacherCard(), 3, 32, 32).AtAnyBatch().ParameterCount);

    [TestMethod]
    [DynamicData(nameof(Fixtures))]
    public void WithThePublishedWeightsItGivesThePublishedNumbers(string name, SongUNetOptions options, int labels)
    {
        var arrays = NpzFile.Read(RepositoryRoot.Of($"tests/OnnxDistill.Tests/Networks/Fixtures/{name}-seed1.npz"));
        var model = SongUNet.Build(options, new TeacherCard { Labels = labels }, 2, 16, 16).Model;
        SetWeights(model, arrays);
        using var session = GraphSession.Create(model);
        var feeds = session.Inputs.ToDictionary(i => i.Name, i => arrays[i.Name]);
        var found = session.Run(feeds)["denoised"].ToDoubles();
        var expected = arrays["denoised"].ToDoubles();
        var (error, length) = (expected.Zip(found, static (e, f) => (e - f) * (e - f)).Sum(), expected.Sum(static e => e * e));
        // Seen: 2e-7, float32's rounding.
        Assert.IsLessThan(2e-6, Math.Sqrt(error / length));
    }

    [TestMethod]
    public void ASampleThatDoesNotHalveEvenlyIsRefused()
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => SongUNet.Build(new SongUNetOptions { Channels = 8 }, new TeacherCard(), 1, 30, 30));
        StringAssert.Contains(error.Message, "a multiple of 4 for 3 resolutions");
    }

    private static void SetWeights(OnnxModel model, OrderedDictionary<string, TensorData> arrays)
    {
        var weights = arrays.Where(a => a.Key.StartsWith(WeightPath, StringComparison.Ordinal)).ToDictionary(a => a.Key[WeightPath.Length..], a => a.Value);
        foreach (var initializer in model.Graph.Initializers)
        {
            if (weights.Remove(initializer.Name, out var weight))
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
