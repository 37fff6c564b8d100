using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Networks;

/// <summary>Low-rank adaptation of the built-in networks.</summary>
[TestClass]
public sealed class LoraTests
{
    private const int Batch = 2;

    public static IEnumerable<object[]> Denoisers =>
    [
        ["mlp", Mlp.Build(new MlpOptions { Hidden = [6, 6] }, new TeacherCard { Data = "points" }, 2)],
        ["song-unet", SongUNet.Build(new SongUNetOptions { Channels = 8, Multipliers = [1, 1], Blocks = 1, AttentionResolutions = [4] }, new TeacherCard { Labels = 3 }, 1, 8, 8)],
        ["dit", Dit.Build(new DitOptions { Width = 8, Depth = 1, Heads = 2, PatchSize = 4 }, new TeacherCard { Labels = 3 }, 1, 8, 8)],
    ];

    [TestMethod]
    [DynamicData(nameof(Denoisers))]
    public void AnAdaptedNetworkBeginsAsItWas(string name, object denoiser)
    {
        var network = ((Denoiser)denoiser).AtBatch(Batch);
        var adapted = Lora.Apply(network, rank: 2, alpha: 4);
        CollectionAssert.AreEqual(Output(network), Output(adapted), name);
    }

    [TestMethod]
    [DynamicData(nameof(Denoisers))]
    public void OnlyTheFactorsAreTrained(string name, object denoiser)
    {
        var network = ((Denoiser)denoiser).AtBatch(Batch);
        var adapted = Lora.Apply(network, rank: 2, alpha: 4);
        Assert.IsTrue(adapted.Parameters.All(p => p.Name.EndsWith(Lora.A, StringComparison.Ordinal) || p.Name.EndsWith(Lora.B, StringComparison.Ordinal)), name);
        // Every matrix and kernel of these networks is a product's weight, but a transformer's table of classes, of which rows are taken; biases and scales have one axis.
        var weights = network.Parameters.Where(p => p.Shape.Rank > 1 && !p.Name.Contains("embedding_table", StringComparison.Ordinal)).Select(p => p.Name).ToArray();
        Assert.IsNotEmpty(weights);
        CollectionAssert.AreEquivalent(weights.SelectMany(w => new[] { w + Lora.A, w + Lora.B }).ToArray(), adapted.Parameters.Select(p => p.Name).ToArray(), name);
        foreach (var factor in adapted.Parameters)
            Assert.AreEqual(factor.Name.EndsWith(Lora.B, StringComparison.Ordinal), factor.Constant!.ToDoubles().All(v => v == 0), factor.Name); // a parameter is an initializer
    }

    [TestMethod]
    [DynamicData(nameof(Denoisers))]
    public void GradientsAreThoseOfTheOutput(string name, object denoiser)
    {
        var adapted = Lora.Apply(((Denoiser)denoiser).AtBatch(Batch), rank: 2, alpha: 4);
        var b = new GraphBuilder();
        var parameters = adapted.Parameters.ToDictionary(p => p.Name, p => b.Input(p.Name, ElementType.Float32, p.Shape));
        var inputs = adapted.Model.Graph.Inputs.ToDictionary(i => i.Name, i => b.Input($"in/{i.Name}", i.Type, i.Shape));
        var loss = b.ReduceSum(b.Square(adapted.Apply(b, "n", inputs, parameters)[Denoiser.Denoised]), keepDims: false);
        var gradients = Differentiator.Gradients(b, loss, [.. parameters.Values]);
        b.Output("loss", loss);
        foreach (var (parameter, gradient) in parameters.Values.Zip(gradients))
            b.Output($"grad of {parameter.Name}", gradient!); // every factor is on the way
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        // Away from zero, where a factor's gradient would not show the other one.
        var random = new TestRandom(3);
        var feeds = adapted.Parameters.ToDictionary(p => p.Name, p => TensorData.Of([.. random.FloatNormals((int)p.Constant!.ElementCount).Select(v => 0.3f * v)], p.Constant.Dims));
        foreach (var (input, data) in Feeds(adapted))
            feeds[$"in/{input}"] = data;
        var outputs = session.Run(feeds);
        var moved = adapted.Parameters.Select(p => new MovedTensor(p.Name, feeds[p.Name], outputs[$"grad of {p.Name}"].ToDoubles())).ToList();
        var found = DirectionalComparison.Of(moved, changes => session.Run(feeds.Concat(changes).GroupBy(f => f.Key).ToDictionary(g => g.Key, g => g.Last().Value))["loss"].ToDoubles()[0],
            CentralDifference.SingleStep, directions: 4, seed: 1);
        // float32 losses: rounding and truncation of the differences meet below 1e-3; a lost factor alpha / rank is far above.
        Assert.IsLessThanOrEqualTo(1e-3, found.Error, $"{name}: {found}");
    }

    [TestMethod]
    public void TheUpdateIsAlphaOverRankTimesTheProduct()
    {
        var network = Mlp.Build(new MlpOptions { Hidden = [4] }, new TeacherCard { Data = "points" }, 2).AtBatch(Batch);
        var adapted = Lora.Apply(network, rank: 2, alpha: 6);
        var feeds = adapted.Parameters.ToDictionary(p => p.Name, p => p.Constant!); // a parameter is an initializer
        var up = new TestRandom(5).FloatNormals(8);
        feeds["output.weight" + Lora.B] = TensorData.Of(up, 4, 2);
        var down = feeds["output.weight" + Lora.A].As<float>().ToArray();
        var weight = network.Parameters.Single(p => p.Name == "output.weight").Constant!.As<float>().ToArray();
        for (var i = 0; i < 4; i++)
        {
            for (var j = 0; j < 2; j++)
                weight[(2 * i) + j] += 3 * ((up[2 * i] * down[j]) + (up[(2 * i) + 1] * down[2 + j]));
        }
        var (expected, found) = (Output(network, new() { ["output.weight"] = TensorData.Of(weight, 4, 2) }), Output(adapted, feeds));
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 1e-5); // float32 sums in another order, values of size 1
    }

    private static float[] Output(Network network, Dictionary<string, TensorData>? parameters = null)
    {
        var b = new GraphBuilder();
        var inputs = network.Model.Graph.Inputs.ToDictionary(i => i.Name, i => b.Input(i.Name, i.Type, i.Shape));
        b.Output("out", network.Apply(b, "n", inputs, (parameters ?? []).ToDictionary(p => p.Key, p => b.Constant(p.Value)))[Denoiser.Denoised]);
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        return session.Run(Feeds(network))["out"].As<float>().ToArray();
    }

    private static Dictionary<string, TensorData> Feeds(Network network) => network.Model.Graph.Inputs.ToDictionary(i => i.Name, i => i.Type == ElementType.Int64
        ? TensorData.Of([1L, 2], Batch)
        : TensorData.Of([.. new TestRandom(i.Name.Length).FloatNormals((int)i.Shape.ElementCount).Select(Math.Abs)], i.Shape.Sizes()));
}
