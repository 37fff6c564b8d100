using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>What losses are written with: guidance, labels, ramps, phases that set in later, real samples.</summary>
[TestClass]
public sealed class LossContextTests
{
    [TestMethod]
    public void ARampStaysMovesAlongALineAndStays()
    {
        var ramp = new Ramp(2, 6, 100, 300);
        CollectionAssert.AreEqual(new[] { 2.0, 2, 3, 4, 6, 6 }, new long[] { 0, 100, 150, 200, 300, 1000 }.Select(ramp.At).ToArray());
        var jump = new Ramp(0, 1, 100, 100);
        CollectionAssert.AreEqual(new[] { 0.0, 0, 1, 1 }, new long[] { 0, 99, 100, 101 }.Select(jump.At).ToArray());
    }

    /// <summary>D_none + s (D_class - D_none), with a teacher that answers with the number of its class.</summary>
    [TestMethod]
    [DataRow(1.0)]
    [DataRow(2.5)]
    [DataRow(0.0)]
    public void GuidanceIsTheFieldsFormula(double scale)
    {
        var task = new DistillationTask(3, [1], 0.5, 1, 5) { NullLabel = 4, Guidance = scale };
        var b = new GraphBuilder();
        var c = new LossContext(b, task, new Dictionary<string, LossContext.BoundNetwork> { [Roles.Teacher] = new(Echo(3), new Dictionary<string, Value>()) });
        b.Output("r", c.Teacher(b.Full(Shape.Of(3, 1), 0), b.Full(Shape.Of(3), 1), b.Constant(TensorData.Of([0L, 2, 3], 3))));
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        var found = session.Run(new Dictionary<string, TensorData>())["r"].ToDoubles();
        for (var i = 0; i < 3; i++)
            Assert.AreEqual(4 + (scale * (new[] { 0, 2, 3 }[i] - 4)), found[i], 1e-6);
    }

    [TestMethod]
    public void GuidanceWithoutALabelForNoClassIsRefused()
    {
        var b = new GraphBuilder();
        var c = new LossContext(b, new DistillationTask(3, [1], 0.5, 1, 5) { Guidance = 2 },
            new Dictionary<string, LossContext.BoundNetwork> { [Roles.Teacher] = new(Echo(3), new Dictionary<string, Value>()) });
        Expect.Error<RecipeException>(() => c.Teacher(b.Full(Shape.Of(3, 1), 0), b.Full(Shape.Of(3), 1), b.Constant(TensorData.Of([0L, 2, 3], 3))), "guidance: found 2", "--null-label");
    }

    [TestMethod]
    public void LabelsThatFollowTheDataHaveItsShares()
    {
        var b = new GraphBuilder();
        var c = new LossContext(b, new DistillationTask(6, [1], 0.5, 1, 3) { LabelShares = [0.5, 0.125, 0.375] }, new Dictionary<string, LossContext.BoundNetwork>());
        b.Output("labels", c.Label()!);
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        var feed = c.Feeds.Single();
        Assert.AreEqual(FeedKind.Uniform, feed.Kind);
        var found = session.Run(new Dictionary<string, TensorData> { [feed.Name] = TensorData.Of([0f, 0.49f, 0.5f, 0.62f, 0.625f, 0.999f], 6) })["labels"];
        CollectionAssert.AreEqual(new long[] { 0, 0, 1, 1, 2, 2 }, found.ToLongs());
    }

    [TestMethod]
    public void ThePhaseThatSetsInLaterLeavesItsNetworkAloneUntilThen()
    {
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sida"));
        float[] Student() => engine.States[Roles.Student].Current(OptimizerGraph.Weights).Span<float>().ToArray();
        var start = Student();
        // Batches of eight; the student begins at 16 samples, the adversarial term at 32.
        for (var i = 0; i < 2; i++)
        {
            CollectionAssert.AreEquivalent(new[] { "fake_score" }, engine.Step().Losses.Keys.ToArray());
            CollectionAssert.AreEqual(start, Student());
        }
        CollectionAssert.AreEquivalent(new[] { "fake_score", "student" }, engine.Step().Losses.Keys.ToArray());
        CollectionAssert.AreNotEqual(start, Student());
    }

    [TestMethod]
    [DataRow("dmd2")]
    [DataRow("f-distill")]
    [DataRow("sida")]
    [DataRow("uni-instruct")]
    public void AMethodThatNeedsRealSamplesAndIsGivenNoneSaysSo(string method)
    {
        using var files = new TestFiles();
        Expect.Error<RecipeException>(() => Toys.Program(files, method, "data.mixture="), "data.images", "nothing found", "learns from them");
    }

    [TestMethod]
    public void RealSamplesForAMethodThatReadsNoneAreRefused()
    {
        using var files = new TestFiles();
        Expect.Error<RecipeException>(() => Toys.Program(files, "sid", "data.mixture=mixture.csv"), "data.mixture", "learns from no real samples");
    }

    [TestMethod]
    public void ADiscriminatorOnATeacherWithoutActivationsIsRefused()
    {
        using var files = new TestFiles();
        Expect.Error<TeacherMismatchException>(() => Toys.Program(files, "f-distill", """options.discriminator={"on":"teacher"}"""), "no activations of its own", "other network");
        Expect.Error<TeacherMismatchException>(() => Toys.Program(files, "dmd2", """options.discriminator={"tensors":["enc"]}"""), "no tensor 'enc'", "inspect");
    }

    private static Network Echo(int batch)
    {
        var b = new GraphBuilder("echo");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of(batch, 1));
        b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        var label = b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(batch));
        b.Output(Denoiser.Denoised, b.Add(b.Mul(x, 0), b.Unsqueeze(b.Cast(label, ElementType.Float32), 1)));
        var model = new OnnxModel(b.Graph);
        return new Network(model, "an echo", model);
    }
}
