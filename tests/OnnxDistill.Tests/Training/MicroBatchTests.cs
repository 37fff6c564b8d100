using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>One batch in parts: rounds, and rounds on lanes.</summary>
[TestClass]
public sealed class MicroBatchTests
{
    private const int Batch = 24;

    public static IEnumerable<object[]> Methods => DistillationMethods.Names.Select(n => new object[] { n });

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void APartOfABatchAtATimeTrainsOnTheNumbersOfTheWhole(string method)
    {
        using var files = new TestFiles();
        var recipe = Recipe(files, method);
        if (recipe.Method.CouplesBatch)
        {
            Expect.Error<RecipeException>(() => TrainingProgram.Build(Recipe(files, method, "training.microBatch=4")), $"'{method}'", "look at the batch as a whole");
            return;
        }
        var whole = Train(recipe);
        // 2, 3 and 6 rounds, and 2 rounds on each of 2 and 3 lanes: every path through the sums.
        string[][] cuts = [["microBatch=12"], ["microBatch=8"], ["microBatch=4"], ["microBatch=6", "lanes=2"], ["microBatch=4", "lanes=3"], ["microBatch=24"]];
        foreach (var cut in cuts)
            AssertClose(whole, Train(Recipe(files, method, [.. cut.Select(c => $"training.{c}")])), string.Join(' ', cut));
        CollectionAssert.AreNotEqual(Train(recipe, steps: 0).Weights, whole.Weights, "nothing was trained");
    }

    [TestMethod]
    [DataRow("training.optimizer.clipNorm=0.05")]
    [DataRow("training.optimizer.clipValue=0.01", "training.optimizer.clipNorm=0.05")]
    public void ClippingLooksAtTheGradientOfTheWholeBatch(params string[] clip)
    {
        using var files = new TestFiles();
        var whole = Train(Recipe(files, "sid", clip));
        AssertClose(whole, Train(Recipe(files, "sid", [.. clip, "training.microBatch=4"])), "clipped");
        CollectionAssert.AreNotEqual(Train(Recipe(files, "sid")).Weights, whole.Weights, "nothing was clipped");
    }

    [TestMethod]
    public void PartsOfABatchRepeatThemselvesBitForBit()
    {
        using var files = new TestFiles();
        string[] cut = ["training.microBatch=4", "training.lanes=2"];
        CollectionAssert.AreEqual(Train(Recipe(files, "sid", cut)).Weights, Train(Recipe(files, "sid", cut)).Weights);
    }

    [TestMethod]
    [DataRow(5, 1, 1, "20 or 25 would do")]
    [DataRow(4, 4, 1, "16 or 32 would do")]
    [DataRow(0, 1, 7, "21 or 28 would do")]
    [DataRow(0, 48, 1, "48 would do")]
    public void ABatchThatIsNoProductOfItsPartsIsRefusedWithTheNearestThatIs(int micro, int lanes, int ranks, string cure)
    {
        using var files = new TestFiles();
        var recipe = Recipe(files, "sid", $"training.microBatch={micro}", $"training.lanes={lanes}");
        Expect.Error<RecipeException>(() => BatchParts.Of(recipe.Recipe.Training, recipe.Method, parameters: 100, ranks), "training.batch: found 24", "'sid'", cure);
    }

    [TestMethod]
    public void PartsCoverTheBatchOnce()
    {
        int[] found = [.. Enumerable.Range(0, 2).SelectMany(rank => Enumerable.Range(0, 3).SelectMany(round => Enumerable.Range(0, 4)
            .Select(lane => new BatchParts(48, Lanes: 4, Rounds: 3, Ranks: 2, Rank: rank).Index(round, lane))))];
        CollectionAssert.AreEqual(Enumerable.Range(0, 24).ToArray(), found);
    }

    private static (float[] Weights, double[] Numbers) Train(LoadedRecipe recipe, int steps = 3)
    {
        using var engine = new TrainingEngine(TrainingProgram.Build(recipe));
        var numbers = new List<double>();
        for (var i = 0; i < steps; i++)
        {
            var result = engine.Step();
            Assert.AreEqual(0, result.Skipped);
            numbers.AddRange(result.Losses.Values.Concat(result.GradientNorms.Values));
        }
        return ([.. engine.States.Values.SelectMany(s => s.Current(OptimizerGraph.Weights).Span<float>().ToArray())], [.. numbers]);
    }

    // The same terms summed in another order: sums of a few hundred float32 terms of mixed sign. Weights moved by three steps of 1e-3, of
    // which the tolerance is one in a hundred and fifty.
    private static void AssertClose((float[] Weights, double[] Numbers) expected, (float[] Weights, double[] Numbers) found, string cut)
    {
        for (var i = 0; i < expected.Numbers.Length; i++)
            Assert.AreEqual(expected.Numbers[i], found.Numbers[i], 2e-5 * Math.Max(1, Math.Abs(expected.Numbers[i])), $"{cut}: loss or norm {i}");
        for (var i = 0; i < expected.Weights.Length; i++)
            Assert.AreEqual(expected.Weights[i], found.Weights[i], 2e-5, $"{cut}: weight {i}");
    }

    // Adam's epsilon is large, so that a gradient that is all but zero moves a weight by what it is and not by its sign.
    private static LoadedRecipe Recipe(TestFiles files, string method, params string[] settings) => Toys.Recipe(files, method,
        [$"training.batch={Batch}", "training.optimizer.learningRate=1e-3", "training.optimizer.epsilon=1e-2", .. settings]);
}
