using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using Dit = OnnxDistill.Networks.Dit;

namespace OnnxDistill.Tests.Networks;

/// <summary>Which activations a discriminator may stand on, and what comes out of them.</summary>
[TestClass]
public sealed class FeatureTapTests
{
    private const int Batch = 2;

    /// <summary>The last block of the encoder's lowest level: its width and resolution, before the decoder's first block.</summary>
    [TestMethod]
    public void AUNetsFirstChoiceIsTheEndOfItsEncoder()
    {
        var teacher = SongUNet.Build(new SongUNetOptions { Channels = 8, Multipliers = [1, 2, 3], Blocks = 2, AttentionResolutions = [] }, new TeacherCard(), 1, 16, 16);
        var (network, features) = teacher.AtBatch(Batch, [""]);
        Assert.AreEqual(Shape.Of(Batch, 24, 4, 4), features.Single().Shape);
        AssertEndsTheEncoder(teacher, features[0].Tensor);
        Assert.AreEqual(features[0].Tensor, FeatureTaps.Automatic(teacher.AtBatch(Batch).Model.Graph)!.Tensor);
        CollectionAssert.Contains(FeatureTaps.Candidates(teacher.AtBatch(Batch).Model.Graph).ToList(), features[0]);
        Assert.AreEqual(network.ParameterCount, teacher.AtBatch(Batch).ParameterCount);
    }

    [TestMethod]
    public void AnAdmsFirstChoiceIsTheEndOfItsEncoder()
    {
        var options = new DhariwalUNetOptions { Channels = 8, Multipliers = [1, 2], Blocks = 1, AttentionResolutions = [4], ChannelsPerHead = 8 };
        var teacher = DhariwalUNet.Build(options, new TeacherCard(), 3, 8, 8);
        var (_, features) = teacher.AtBatch(Batch, [""]);
        Assert.AreEqual(Shape.Of(Batch, 16, 4, 4), features.Single().Shape);
        AssertEndsTheEncoder(teacher, features[0].Tensor);
    }

    // Above it lie all nodes that belong to the encoder, and none of the decoder's.
    private static void AssertEndsTheEncoder(Denoiser teacher, string tensor)
    {
        var nodes = teacher.Model.Graph.Nodes;
        HashSet<Value> above = [nodes.SelectMany(n => n.Outputs).OfType<Value>().Single(v => v.Name == tensor)];
        foreach (var node in Enumerable.Reverse(nodes).Where(n => n.Outputs.OfType<Value>().Any(above.Contains)))
            above.UnionWith(node.Inputs.OfType<Value>());
        bool IsAbove(Node node) => node.Outputs.OfType<Value>().Any(above.Contains);
        Assert.IsTrue(nodes.Where(n => n.Name.Contains("/enc.", StringComparison.Ordinal)).All(IsAbove));
        Assert.IsFalse(nodes.Where(n => n.Name.Contains("/dec.", StringComparison.Ordinal)).Any(IsAbove));
    }

    [TestMethod]
    public void ATransformerIsTappedHalfWayOnItsTokens()
    {
        var (_, features) = Dit.Build(new DitOptions { PatchSize = 4, Width = 16, Depth = 2, Heads = 2 }, new TeacherCard(), 1, 16, 16).AtBatch(Batch, [""]);
        Assert.AreEqual((3, (long)Batch, 16L), (features.Single().Shape.Rank, features[0].Shape[0].Size, features[0].Shape[1].Size));
    }

    [TestMethod]
    public void APerceptronIsTappedHalfWay()
    {
        var (_, features) = Mlp.Build(new MlpOptions { Hidden = [6, 7, 8, 9] }, new TeacherCard { Data = "points" }, 2).AtBatch(Batch, [""]);
        Assert.AreEqual(Shape.Of(Batch, 7), features.Single().Shape);
    }

    [TestMethod]
    public void ATapLeavesTheOutputAndIsTheTensorOfThatName()
    {
        var teacher = Mlp.Build(new MlpOptions { Hidden = [6, 5] }, new TeacherCard { Data = "points" }, 2);
        var (network, features) = teacher.AtBatch(Batch, [""]);
        var feeds = new Dictionary<string, TensorData> { [Denoiser.X] = TensorData.Of([0.3f, -1f, 2f, 0.1f], Batch, 2), [Denoiser.Sigma] = TensorData.Of([0.5f, 2f], Batch) };
        using var tapped = GraphSession.Create(network.Model);
        using var plain = GraphSession.Create(teacher.AtBatch(Batch).Model);
        var found = tapped.Run(feeds);
        CollectionAssert.AreEqual(plain.Run(feeds)[Denoiser.Denoised].ToDoubles(), found[Denoiser.Denoised].ToDoubles());
        // The first hidden layer, from the file's weights: silu(W [c_in x, ln(sigma)/4, ln(sigma)/4] + b).
        var (weight, bias) = (network.Parameters.First(p => p.Name == "hidden.0.weight").Constant!.ToDoubles(), network.Parameters.First(p => p.Name == "hidden.0.bias").Constant!.ToDoubles());
        for (var i = 0; i < Batch; i++)
        {
            var (x, sigma) = (feeds[Denoiser.X].ToDoubles()[(2 * i)..((2 * i) + 2)], feeds[Denoiser.Sigma].ToDoubles()[i]);
            double[] input = [.. x.Select(v => v / Math.Sqrt((sigma * sigma) + 0.25)), Math.Log(sigma) / 4, Math.Log(sigma) / 4];
            for (var j = 0; j < 6; j++)
            {
                var h = bias[j] + input.Select((v, k) => v * weight[(k * 6) + j]).Sum();
                Assert.AreEqual(h / (1 + Math.Exp(-h)), found[features[0].Tensor].ToDoubles()[(i * 6) + j], 1e-6); // float32
            }
        }
    }

    [TestMethod]
    public void AMixtureTellsItsLogDensityAndHasNothingElseToTap()
    {
        var mixture = MixtureTeacher.Build(Toys.TwoModes);
        var (network, _) = mixture.AtBatch(1, [MixtureTeacher.LogDensity]);
        using var session = GraphSession.Create(network.Model);
        var found = session.Run(new Dictionary<string, TensorData> { [Denoiser.X] = TensorData.Of([0.4f, 0.2f], 1, 2), [Denoiser.Sigma] = TensorData.Of([0.7f], 1) });
        var variance = 0.09 + 0.49;
        double Mode(double mx, double my) => Math.Exp(-(Math.Pow(0.4 - mx, 2) + Math.Pow(0.2 - my, 2)) / (2 * variance)) / (2 * Math.PI * variance);
        Assert.AreEqual(Math.Log((Mode(-1, 0.5) + Mode(1, -0.5)) / 2), found[MixtureTeacher.LogDensity].ToDoubles()[0], 1e-6); // float32
        Expect.Error<TeacherMismatchException>(() => mixture.AtBatch(1, [""]), "no activations of its own", "other network");
        Expect.Error<TeacherMismatchException>(() => mixture.AtBatch(1, ["enc"]), "no tensor 'enc'", "inspect");
    }

    [TestMethod]
    [DataRow(new long[] { 3, 8, 7, 7 })]
    [DataRow(new long[] { 3, 8, 8, 8 })]
    [DataRow(new long[] { 3, 8, 1, 1 })]
    [DataRow(new long[] { 3, 4, 2, 3 })]
    [DataRow(new long[] { 3, 8, 32, 32 })]
    [DataRow(new long[] { 3, 5, 6 })]
    [DataRow(new long[] { 3, 12 })]
    public void AHeadStandsOnAnyActivationAndTellsSamplesApart(long[] dims)
    {
        var shape = Shape.Of(dims);
        var head = DiscriminatorHead.Build([new("a", shape), new("b", shape)], seed: 1);
        using var session = GraphSession.Create(head.Model);
        var random = new TestRandom(3);
        TensorData Draw() => TensorData.Of(random.FloatNormals((int)shape.ElementCount), dims);
        var logits = session.Run(new Dictionary<string, TensorData> { [DiscriminatorHead.Input(0)] = Draw(), [DiscriminatorHead.Input(1)] = Draw() })[DiscriminatorHead.Logits];
        CollectionAssert.AreEqual(new long[] { 3, 2 }, logits.Dims);
        Assert.HasCount(6, logits.ToDoubles().Where(double.IsFinite).Distinct().ToList());
    }
}
