using OnnxDistill.Data;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Sampling;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Runtime.Parallel;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Data parallel training on ranks that are threads; over MPI it is Cli/MpirunTests that look.</summary>
[TestClass]
public sealed class RanksTests
{
    public static IEnumerable<object[]> Methods => DistillationMethods.Names.Select(n => new object[] { n });

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void RanksTrainOnTheNumbersOfOneProcess(string method)
    {
        using var files = new TestFiles();
        string[] settings = ["training.batch=24", "training.optimizer.epsilon=1e-2"];
        if (Toys.Recipe(files, method).Method.CouplesBatch)
        {
            var coupled = Toys.Recipe(files, method, settings);
            Expect.Error<RecipeException>(() => ThreadRanks.Run(2, ranks => TrainingProgram.Build(coupled, ranks)), $"'{method}'", "as a whole");
            return;
        }
        var alone = Train(Toys.Recipe(files, method, settings), SingleRank.Group);
        foreach (var (count, cut) in new (int, string[])[] { (3, []), (2, ["training.lanes=2"]), (2, ["training.microBatch=4"]) })
        {
            var recipe = Toys.Recipe(files, method, [.. settings, .. cut]);
            var results = ThreadRanks.Run(count, ranks => Train(recipe, ranks));
            foreach (var result in results)
                CollectionAssert.AreEqual(results[0], result, "ranks know the same losses, norms and weights, bit for bit");
            // The same float32 terms in another order, and three steps of Adam at 1e-2 on them.
            for (var i = 0; i < alone.Length; i++)
                Assert.AreEqual(alone[i], results[0][i], 1e-4 * Math.Max(1, Math.Abs(alone[i])), $"{count} ranks {string.Join(' ', cut)}: number {i}");
        }
    }

    [TestMethod]
    public void StatesThatDriftApartAreAnErrorThatNamesTheRanks()
    {
        using var files = new TestFiles();
        var recipe = Toys.Recipe(files, "sid");
        var messages = ThreadRanks.Run(4, ranks =>
        {
            using var engine = new TrainingEngine(TrainingProgram.Build(recipe, ranks), ranks: ranks);
            engine.Step();
            RankAgreement.Check(engine, ranks);
            if (ranks.Rank is 1 or 3)
                engine.States[Roles.Student].Current(OptimizerGraph.Weights).Span<float>()[0] += 1e-6f;
            return Assert.ThrowsExactly<RanksDisagreeException>(() => RankAgreement.Check(engine, ranks)).Message;
        });
        foreach (var message in messages)
            StringAssert.Contains(message, "After step 1 rank(s) 1, 3 of 4 have other weights than rank 0");
    }

    [TestMethod]
    public void AllRanksStartFromTheStateOfTheFirst()
    {
        using var files = new TestFiles();
        var recipe = Toys.Recipe(files, "sid");
        var results = ThreadRanks.Run(2, ranks =>
        {
            using var engine = new TrainingEngine(TrainingProgram.Build(recipe, ranks), ranks: ranks);
            if (ranks.Rank == 0)
            {
                engine.Iteration = 7;
                engine.States[Roles.Student].Step = 5;
                engine.States[Roles.Student].Current(OptimizerGraph.SecondMoment).Span<float>()[3] = 0.25f;
            }
            engine.LearningRateFactor = ranks.Rank == 0 ? 0.5 : 1;
            var loop = RankAgreement.Share(engine, ranks, ranks.Rank == 0 ? new() { ["kept"] = "row" } : null);
            Assert.AreEqual("row", loop?["kept"]?.GetValue<string>());
            Assert.AreEqual(0.5, engine.LearningRateFactor);
            RankAgreement.Check(engine, ranks);
            return (engine.Iteration, engine.States[Roles.Student].Step, engine.States[Roles.Student].Current(OptimizerGraph.SecondMoment).Span<float>()[3]);
        });
        Assert.AreEqual((7L, 5L, 0.25f), results[1]);
    }

    [TestMethod]
    public void ARankWithAnotherRecipeIsRefused()
    {
        using var files = new TestFiles();
        var recipes = new[] { Toys.Recipe(files, "sid"), Toys.Recipe(files, "sid", "options.alpha=1") };
        Expect.Error<RecipeException>(() => ThreadRanks.Run(2, ranks =>
        {
            using var engine = new TrainingEngine(TrainingProgram.Build(recipes[ranks.Rank], ranks), ranks: ranks);
            RankAgreement.Share(engine, ranks, null);
            return 0;
        }), "rank(s) 1 have another recipe");
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(5)]
    public void SamplesAreTheSameBitsWhoeverDrawsThem(int count)
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sid"));
        var model = RunExport.Build(engine);
        // 23 samples in batches of 8: fewer batches than five ranks, and the last one is not full.
        SampleSet Draw(IRankGroup? ranks)
        {
            using var sampler = new GeneratorSampler(model);
            return sampler.Sample(23, seed: 4, batch: 8, ranks: ranks);
        }
        var alone = Draw(null);
        Assert.AreEqual(23, alone.Count);
        foreach (var samples in ThreadRanks.Run(count, Draw))
            CollectionAssert.AreEqual(alone.Data, samples.Data);
    }

    private static double[] Train(LoadedRecipe recipe, IRankGroup ranks)
    {
        using var engine = new TrainingEngine(TrainingProgram.Build(recipe, ranks), ranks: ranks);
        var numbers = new List<double>();
        for (var step = 0; step < 3; step++)
        {
            var result = engine.Step();
            numbers.AddRange(result.Losses.Values.Concat(result.GradientNorms.Values));
        }
        return [.. numbers, .. engine.States.Values.SelectMany(s => s.Current(OptimizerGraph.Weights).Span<float>().ToArray()).Select(w => (double)w)];
    }
}
