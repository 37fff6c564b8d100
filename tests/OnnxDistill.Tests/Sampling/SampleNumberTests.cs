using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Sampling;

/// <summary>What both samplers promise about seeds, classes and guidance.</summary>
[TestClass]
public sealed class SampleNumberTests
{
    [TestMethod]
    public void ASampleDependsOnItsNumberAndTheSeedOnly()
    {
        using var teacher = new TeacherSampler(TestTeachers.Gaussian());
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sid"));
        using var generator = new GeneratorSampler(RunExport.Build(engine));
        SamplerOptions[] ways = [new() { Steps = 5 }, new() { Steps = 5, Churn = 4 }, new() { Solver = "ddim", Steps = 5, Eta = 1 }];
        foreach (var draw in ways.Select(w => (Func<int, long, int, SampleSet>)((n, s, b) => teacher.Sample(n, s, w, batch: b)))
            .Append((n, s, b) => generator.Sample(n, s, batch: b)))
        {
            var whole = draw(11, 1, 64).Data;
            // The kernels' vector tails depend on the batch: one unit in the last place.
            AssertClose(whole, draw(11, 1, 4).Data);
            AssertClose(whole[..(whole.Length / 11 * 3)], draw(3, 1, 64).Data);
            CollectionAssert.AreEqual(whole, draw(11, 1, 64).Data);
            CollectionAssert.AreNotEqual(whole, draw(11, 2, 64).Data);
        }
    }

    [TestMethod]
    public void ClassesGoRoundUnlessTheyAreGiven()
    {
        using var generator = new GeneratorSampler(Conditional());
        Assert.AreEqual(3, generator.Labels);
        using var teacher = new TeacherSampler(TestTeachers.Classes(1));
        var one = new SamplerOptions { Solver = "euler", Steps = 1 };
        foreach (var draw in new Func<int, Func<int, long>?, SampleSet>[] { (n, label) => generator.Sample(n, 0, label, batch: 2), (n, label) => teacher.Sample(n, 0, one, label, batch: 2) })
        {
            CollectionAssert.AreEqual(new float[] { 0, 1, 2, 0, 1 }, draw(5, null).Data);
            CollectionAssert.AreEqual(new float[] { 2, 2, 2 }, draw(3, _ => 2).Data);
            CollectionAssert.AreEqual(new float[] { 0, 0, 1, 1, 2 }, draw(5, i => i / 2).Data);
        }
    }

    /// <summary>A class c is denoised to c and no class to 3: guidance S gives 3 + S (c - 3).</summary>
    [TestMethod]
    [DataRow(1, 0, 1, 2)]
    [DataRow(2, -3, -1, 1)]
    [DataRow(0, 3, 3, 3)]
    public void GuidanceGoesFromNoClassThroughTheClassAndOn(double guidance, float first, float second, float third)
    {
        using var teacher = new TeacherSampler(TestTeachers.Classes(1));
        foreach (var solver in new[] { "euler", "heun", "ddim" })
        {
            var options = new SamplerOptions { Solver = solver, Levels = "karras", Steps = 3, Guidance = guidance };
            // Whole numbers all the way but for a rounding of x, 80 times as large, in double.
            var found = teacher.Sample(4, 0, options, i => i).Data;
            CollectionAssert.AreEqual(new[] { first, second, third, 3 }, Array.ConvertAll(found, x => MathF.Round(x, 4)), $"{solver}: {string.Join(", ", found)}");
        }
    }

    [TestMethod]
    public void ATeacherThatIsGuidedAlreadyIsNotGuidedAgain()
    {
        var model = TestTeachers.Classes(1).Model;
        new TeacherCard { Labels = 3, NullLabel = 3, Guidance = 2 }.WriteTo(model);
        using var sampler = new TeacherSampler(new Denoiser(model));
        Expect.Error<TeacherMismatchException>(() => sampler.Sample(1, 0, new SamplerOptions { Guidance = 1.5 }), "guidance 2 folded in", "found 1.5");
    }

    [TestMethod]
    public void AModelWithoutALatentIsNoGenerator()
    {
        Expect.Error<TeacherMismatchException>(() => new GeneratorSampler(TestTeachers.Gaussian().Model, what: "'teacher.onnx'"), "'teacher.onnx'", "'z'", "x: Float32[N, 1]", "import");
    }

    // x = label, whatever z is.
    private static OnnxModel Conditional()
    {
        var b = new GraphBuilder();
        var z = b.Input("z", ElementType.Float32, Shape.Of(Dim.Named("N"), 1));
        var label = b.Input("label", ElementType.Int64, Shape.Of(Dim.Named("N")));
        b.Output("points", b.Add(b.Mul(z, 0), b.Unsqueeze(b.Cast(label, ElementType.Float32), 1)));
        var model = new OnnxModel(b.Graph);
        model.Metadata["onnxdistill.labels"] = "3";
        return model;
    }

    private static void AssertClose(float[] expected, float[] found)
    {
        Assert.HasCount(expected.Length, found);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 1e-6 * Math.Max(1, Math.Abs(expected[i])));
    }
}
