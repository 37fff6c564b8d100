using System.Text.Json.Nodes;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

[TestClass]
public sealed class LanesTests
{
    [TestMethod]
    [DataRow(2)]
    [DataRow(4)]
    public void Lanes_train_on_the_same_numbers_as_the_whole_batch(int lanes)
    {
        var (whole, wholeLosses) = Train(1);
        var (laned, lanedLosses) = Train(lanes);

        for (var i = 0; i < wholeLosses.Count; i++)
        {
            // The same terms summed in another order; losses are sums of 256 terms of mixed sign.
            Assert.AreEqual(wholeLosses[i], lanedLosses[i], 2e-5 * Math.Max(1, Math.Abs(wholeLosses[i])), $"loss {i}");
        }
        for (var i = 0; i < whole.Length; i++)
            Assert.AreEqual(whole[i], laned[i], 2e-5, $"weight {i}"); // three steps of 1e-3 were made: one in 150 of what they moved
        CollectionAssert.AreNotEqual(Train(1, steps: 0).Weights, whole, "nothing was trained");
    }

    [TestMethod]
    public void Lanes_repeat_themselves_bit_for_bit() => CollectionAssert.AreEqual(Train(2).Weights, Train(2).Weights);

    [TestMethod]
    public void A_batch_that_lanes_do_not_divide_is_refused()
    {
        var error = Assert.ThrowsExactly<RecipeException>(() => TrainingProgram.Build(Load("training.batch=250", "training.lanes=4")));
        StringAssert.Contains(error.Message, "training.batch: found 250 in 1 rank(s), training.lanes 4");
    }

    [TestMethod]
    public void A_method_that_looks_at_the_whole_batch_takes_no_lanes()
    {
        var recipe = Load("training.lanes=2");
        var error = Assert.ThrowsExactly<RecipeException>(() => TrainingProgram.Build(recipe with { Method = new Coupled(recipe.Method) }));
        StringAssert.Contains(error.Message, "this method's losses look at the batch as a whole");
    }

    [TestMethod]
    public void Lanes_share_the_threads()
    {
        Assert.AreEqual(0, LanedPhase.ThreadsPerLane(threads: 0, lanes: 1));
        Assert.AreEqual(3, LanedPhase.ThreadsPerLane(threads: 7, lanes: 2));
        Assert.AreEqual(1, LanedPhase.ThreadsPerLane(threads: 2, lanes: 4));
    }

    private static (float[] Weights, List<double> Losses) Train(int lanes, int steps = 3)
    {
        using var engine = new TrainingEngine(TrainingProgram.Build(Load("training.batch=256", $"training.lanes={lanes}")));
        var losses = new List<double>();
        for (var step = 0; step < steps; step++)
            losses.AddRange(engine.Step().Losses.Values);
        return (engine.States[Roles.Student].Current(OptimizerGraph.Weights).Span<float>().ToArray(), losses);
    }

    // Adam's epsilon is large, so that a gradient that is all but zero moves a weight by what it is and not by its sign.
    private static LoadedRecipe Load(params string[] settings) => RecipeLoader.Load(Path.Combine(Root(), "models", "ring8", "diff-instruct.json"),
        ["training.threads=2", "training.optimizer.learningRate=1e-3", "training.optimizer.epsilon=1e-3", .. settings]);

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OnnxDistill.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("No folder above the tests holds OnnxDistill.sln.");
    }

    private sealed class Coupled(IDistillationMethod inner) : IDistillationMethod
    {
        public string Name => inner.Name;
        public string Paper => inner.Paper;
        public object Options => inner.Options;
        public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => inner.Auxiliaries;
        public IReadOnlyList<TrainingPhase> Phases => inner.Phases;
        public bool CouplesBatch => true;
        public JsonObject Preset => inner.Preset;
    }
}
