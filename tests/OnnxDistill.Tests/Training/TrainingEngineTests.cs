using OnnxDistill.Methods;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>The invariants of flat vectors, ping-pong and skipped steps.</summary>
[TestClass]
public sealed class TrainingEngineTests
{
    public static IEnumerable<object[]> Methods => DistillationMethods.Names.Select(n => new object[] { n });

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void NoBoundOutputEndsInAnOperatorThatOnnxRuntimeCopies(string method)
    {
        using var files = new TestFiles();
        CheckOutputs(Toys.Program(files, method));
    }

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void PaddingStaysZeroAndEveryParameterMoves(string method)
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, method));
        var before = engine.States.ToDictionary(s => s.Key, s => Vector(s.Value.Current(OptimizerGraph.Weights)));
        for (var i = 0; i < 3; i++)
            Assert.AreEqual(0, engine.Step().Skipped);
        foreach (var (role, state) in engine.States)
        {
            var layout = state.Description.Layout;
            var padding = Enumerable.Range(0, (int)layout.Length).Where(i => !layout.Slots.Any(s => i >= s.Offset && i < s.Offset + s.Count)).ToArray();
            Assert.IsGreaterThan(0, padding.Length, "the toy's network has to leave gaps, or the test shows nothing");
            foreach (var buffer in state.Vectors.Select(state.Current).Concat(state.Gradients))
                Assert.IsTrue(Array.TrueForAll(padding, i => buffer.Span<float>()[i] == 0), role);
            var now = Vector(state.Current(OptimizerGraph.Weights));
            foreach (var slot in layout.Slots)
                CollectionAssert.AreNotEqual(before[role][(int)slot.Offset..(int)(slot.Offset + slot.Count)], now[(int)slot.Offset..(int)(slot.Offset + slot.Count)], slot.Name);
        }
    }

    [TestMethod]
    public void WhatARunReadsAndWhatItWritesNeverShareMemory()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sid", "training.optimizer.beta1=0.9"));
        var ranges = engine.States.Values.SelectMany(s => s.Vectors.SelectMany(v => new[] { s.At(v, 0), s.At(v, 1) }).Concat(s.Gradients))
            .OrderBy(b => b.Address).ToArray();
        Assert.HasCount(2 * 3 + 1 + 2 * 4 + 1, ranges);
        for (var i = 1; i < ranges.Length; i++)
            Assert.IsGreaterThanOrEqualTo(ranges[i - 1].Address + (nint)ranges[i - 1].ByteCount, ranges[i].Address);
        var student = engine.States[Roles.Student];
        var read = student.Current(OptimizerGraph.Weights);
        var held = Vector(read);
        engine.Step();
        Assert.AreNotSame(read, student.Current(OptimizerGraph.Weights));
        CollectionAssert.AreEqual(held, Vector(read), "what a step read is still there, so a step can be left out");
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    public void AGradientThatIsNotFiniteChangesNothing(float bad)
    {
        using var files = new TestFiles();
        var program = Toys.Program(files, "diff-instruct", "training.optimizer.beta1=0.9", "training.optimizer.clipNorm=1");
        using var state = new NetworkState(program.Network(Roles.Student));
        using var runner = new OptimizerRunner(state, new());
        var parameter = state.Description.Layout.Slots[0];
        state.Gradients[0].Span<float>()[(int)parameter.Offset] = 0.5f;
        Assert.AreEqual(new UpdateResult(0.5f, Made: true, 0), runner.Update(0.1, 0.5));
        var before = state.Vectors.ToDictionary(v => v, v => Vector(state.Current(v)));

        state.Gradients[0].Span<float>()[(int)parameter.Offset + 1] = bad;
        Assert.IsFalse(float.IsFinite(runner.Update(0.1, 0.5).Norm));
        Assert.AreEqual(1, state.Step, "the count of updates is the bias correction's: a skipped one is none");
        foreach (var (vector, values) in before)
            CollectionAssert.AreEqual(values, Vector(state.Current(vector)), vector);

        // And the next one goes on from there, as if the bad one had not been.
        state.Gradients[0].Span<float>()[(int)parameter.Offset + 1] = 0;
        runner.Update(0.1, 0.5);
        Assert.AreEqual(2, state.Step);
        foreach (var vector in before.Keys)
            Assert.IsTrue(Array.TrueForAll(Vector(state.Current(vector)), float.IsFinite), vector);
    }

    [TestMethod]
    public void SkippedUpdatesAreCountedAndTheOtherNetworkGoesOn()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "diff-instruct"));
        engine.Step();
        var (student, fake) = (engine.States[Roles.Student], engine.States[Roles.FakeScore]);
        var kept = Vector(student.Current(OptimizerGraph.Weights));
        var good = Vector(fake.Current(OptimizerGraph.Weights));
        fake.Current(OptimizerGraph.Weights).Span<float>()[0] = float.NaN;

        // A broken fake score breaks its own gradient and the student's.
        Assert.AreEqual(2, engine.Step().Skipped);
        CollectionAssert.AreEqual(kept, Vector(student.Current(OptimizerGraph.Weights)));
        Assert.AreEqual((1L, 1L, 2L), (student.Step, fake.Step, engine.Iteration));

        fake.Current(OptimizerGraph.Weights).CopyFrom<float>(good);
        Assert.AreEqual(0, engine.Step().Skipped);
        Assert.AreEqual((2L, 2L, 3L), (student.Step, fake.Step, engine.Iteration));
    }

    /// <summary>An optimizer of a role's own: the fake score moves, the student with a rate of 0 does not.</summary>
    [TestMethod]
    public void EveryRoleHasItsOwnOptimizer()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sid", "training.optimizers.student.learningRate=0", "options.fakeScoreUpdates=3"));
        var before = engine.States.ToDictionary(s => s.Key, s => Vector(s.Value.Current(OptimizerGraph.Weights)));
        engine.Step();
        CollectionAssert.AreEqual(before[Roles.Student], Vector(engine.States[Roles.Student].Current(OptimizerGraph.Weights)));
        CollectionAssert.AreNotEqual(before[Roles.FakeScore], Vector(engine.States[Roles.FakeScore].Current(OptimizerGraph.Weights)));
        Assert.AreEqual(3, engine.States[Roles.FakeScore].Step);
        Assert.AreEqual(1, engine.States[Roles.Student].Step);
    }

    [TestMethod]
    public void SameSeedSameBitsAndAnotherSeedOthers()
    {
        using var files = new TestFiles();
        float[] Trained(int seed)
        {
            using var engine = new TrainingEngine(Toys.Program(files, "sid", $"training.seed={seed}"));
            engine.Step();
            engine.Step();
            return Vector(engine.States[Roles.Student].Current(OptimizerGraph.Weights));
        }
        var first = Trained(1);
        CollectionAssert.AreEqual(first, Trained(1));
        CollectionAssert.AreNotEqual(first, Trained(2));
    }

    [TestMethod]
    public void ATeacherWithoutWeightsCannotBeTheStart()
    {
        using var files = new TestFiles();
        var recipe = Toys.Recipe(files, "sid");
        Expect.Error<RecipeException>(() => TrainingProgram.Build(recipe with { Recipe = recipe.Recipe with { Network = null } }), "no trainable weights", "network");
    }

    /// <summary>The outputs of all phases and optimizers; shared with the slow test of the DiT.</summary>
    internal static void CheckOutputs(TrainingProgram program)
    {
        string[] copied = ["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"];
        foreach (var model in program.Graphs.Select(g => g.Model).Concat(program.Networks.Select(n => n.OptimizerModel)))
        {
            Assert.AreNotEqual(0, model.Graph.Outputs.Count);
            foreach (var output in model.Graph.Outputs)
                Assert.IsFalse(output.Producer is null || copied.Contains(output.Producer.OpType), $"{model.Graph.Name}: {output} is made by {output.Producer}");
            Assert.HasCount(model.Graph.Outputs.Count, model.Graph.Outputs.Select(o => o.Name).Distinct());
        }
    }

    private static float[] Vector(TensorBuffer buffer) => buffer.Span<float>().ToArray();
}
