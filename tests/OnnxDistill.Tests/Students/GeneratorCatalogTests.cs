using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Students;

/// <summary>The built-in generators.</summary>
[TestClass]
public sealed class GeneratorCatalogTests
{
    [TestMethod]
    [DataRow(28, 1, 10)]
    [DataRow(32, 3, 0)]
    [DataRow(32, 3, 10)]
    public void DcGanMakesImagesBetweenMinusOneAndOne(int side, int channels, int labels)
    {
        var generator = GeneratorCatalog.Build(new JsonObject { ["kind"] = "dcgan", ["latent"] = 8, ["width"] = 8 }, new TeacherCard { Labels = labels }, channels, side, side);
        CollectionAssert.AreEqual(new long[] { channels, side, side }, generator.DataShape);
        CollectionAssert.AreEqual(new long[] { 8 }, generator.LatentShape);
        var z = new TestRandom(1).FloatNormals(8);
        float[] Of(long label)
        {
            using var session = GraphSession.Create(generator.Model);
            // The same latent twice.
            var feeds = new Dictionary<string, TensorData> { ["z"] = TensorData.Of([.. z, .. z], 2, 8) };
            if (labels > 0)
                feeds["label"] = TensorData.Of([label, 3], 2);
            return session.Run(feeds)["image"].As<float>().ToArray();
        }
        var images = Of(3);
        Assert.IsLessThanOrEqualTo(1, images.Max(Math.Abs));
        Assert.IsGreaterThan(0.1, images.Max() - images.Min(), "fresh weights already tell places apart");
        CollectionAssert.AreEqual(images[..(images.Length / 2)], images[(images.Length / 2)..]);
        if (labels > 0)
            CollectionAssert.AreNotEqual(images, Of(4));
    }

    [TestMethod]
    public void DcGanRefusesImagesThatDoNotHalveThatOften() => Expect.Error<RecipeException>(
        () => GeneratorCatalog.Build(new JsonObject { ["kind"] = "dcgan", ["levels"] = 3 }, new TeacherCard(), 1, 28, 28), "a multiple of 8");

    [TestMethod]
    [DataRow(0)]
    [DataRow(2)]
    public void EveryParticleOfAClassIsEquallyLikelyAndNoneOfAnother(int labels)
    {
        const int count = 4, draws = 8000;
        var card = new TeacherCard { Labels = labels, Data = "points", SigmaData = 3 };
        var generator = GeneratorCatalog.Build(new JsonObject { ["kind"] = "particles", ["count"] = count, ["deviation"] = 2 }, card, 2);
        var table = generator.AtAnyBatch().Parameters.Single().Constant!; // a parameter is an initializer
        CollectionAssert.AreEqual(new long[] { count * Math.Max(1, labels), 2 }, table.Dims);
        using var session = GraphSession.Create(generator.Model);
        float[] z = [.. new TestRandom(2).FloatNormals(draws - 2), 40, -40];
        var feeds = new Dictionary<string, TensorData> { ["z"] = TensorData.Of(z, draws, 1) };
        if (labels > 0)
            feeds["label"] = TensorData.Of([.. Enumerable.Repeat(1L, draws)], draws);
        var found = session.Run(feeds)["points"].As<float>().ToArray();
        var rows = Enumerable.Range(0, count * Math.Max(1, labels)).Select(r => Enumerable.Range(0, draws).Count(i => found[2 * i] == table.As<float>()[2 * r] && found[(2 * i) + 1] == table.As<float>()[(2 * r) + 1])).ToArray();
        Assert.AreEqual(draws, rows.Sum(), "every sample is a row");
        foreach (var row in rows[^count..])
            Assert.AreEqual(draws / count, row, 200); // five standard deviations of a binomial, sqrt(8000 · 1/4 · 3/4) = 39
    }

    [TestMethod]
    public void ParticlesBeginWithTheDeviationAsked()
    {
        var generator = GeneratorCatalog.Build(new JsonObject { ["kind"] = "particles", ["count"] = 5000, ["deviation"] = 2 }, new TeacherCard { SigmaData = 3, Data = "points" }, 2);
        var numbers = generator.AtAnyBatch().Parameters.Single().Constant!.ToDoubles(); // a parameter is an initializer
        Assert.AreEqual(6, Math.Sqrt(numbers.Average(n => n * n)), 0.2); // five standard errors: 6 / sqrt(2 · 10000) = 0.042
    }
}
