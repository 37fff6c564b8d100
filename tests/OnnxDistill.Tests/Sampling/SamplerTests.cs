using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Sampling;

/// <summary>Heun's sampler on a flow that is known, and what both samplers promise about seeds and classes.</summary>
[TestClass]
public sealed class SamplerTests
{
    private const double Mean = 0.7, Std = 0.4;

    [TestMethod]
    public void TheGridIsKarras()
    {
        var levels = HeunSampler.Levels(0.002, 80, 18);
        Assert.HasCount(19, levels);
        Assert.AreEqual(80, levels[0], 1e-11); // a seventh power in double
        Assert.AreEqual(0.002, levels[17], 1e-15);
        Assert.AreEqual(0, levels[18]);
        Assert.AreEqual(Math.Pow(Math.Pow(80, 1 / 7.0) + (5 / 17.0 * (Math.Pow(0.002, 1 / 7.0) - Math.Pow(80, 1 / 7.0))), 7), levels[5], 1e-12);
        CollectionAssert.AreEqual(levels.OrderDescending().ToArray(), levels);
    }

    /// <summary>On N(m, s²) the flow is linear: x - m shrinks by s / sqrt(s² + sigma_max²).</summary>
    [TestMethod]
    public void HeunConvergesToTheGaussianWithItsOrder()
    {
        var (coarse, fine) = (LargestError(40), LargestError(80));
        Assert.IsLessThan(0.005, fine, "about a hundredth of the deviation");
        // Second order: half the step, a quarter of the error; float32 denoisers and the last Euler step take a little of that.
        Assert.IsGreaterThan(3, coarse / fine, $"{coarse} {fine}");
    }

    [TestMethod]
    public void SamplesHaveTheGaussiansMeanAndDeviation()
    {
        const int count = 4000;
        using var sampler = new HeunSampler(Teacher());
        var x = sampler.Sample(count, seed: 3, steps: 40, batch: 1000).Data.Select(v => (double)v).ToArray();
        var mean = x.Average();
        // Four standard errors; forty steps leave about 1 % of the deviation, which is one of them.
        Assert.AreEqual(Mean, mean, 4 * Std / Math.Sqrt(count));
        Assert.AreEqual(Std, Math.Sqrt(x.Average(v => (v - mean) * (v - mean))), 4 * Std / Math.Sqrt(2 * count));
    }

    [TestMethod]
    public void ASampleDependsOnItsNumberAndTheSeedOnly()
    {
        using var heun = new HeunSampler(Teacher());
        using var files = new TestFiles();
        using var engine = new TrainingEngine(Toys.Program(files, "sid"));
        using var generator = new GeneratorSampler(RunExport.Build(engine));
        foreach (var draw in new Func<int, long, int, SampleSet>[] { (n, s, b) => heun.Sample(n, s, 5, batch: b), (n, s, b) => generator.Sample(n, s, batch: b) })
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
    public void ClassesGoRoundUnlessOneIsGiven()
    {
        using var sampler = new GeneratorSampler(Conditional());
        Assert.AreEqual(3, sampler.Labels);
        CollectionAssert.AreEqual(new float[] { 0, 1, 2, 0, 1 }, sampler.Sample(5, 0, batch: 2).Data);
        CollectionAssert.AreEqual(new float[] { 2, 2, 2 }, sampler.Sample(3, 0, label: 2).Data);
    }

    [TestMethod]
    public void AModelWithoutALatentIsNoGenerator()
    {
        Expect.Error<TeacherMismatchException>(() => new GeneratorSampler(Teacher().Model, what: "'teacher.onnx'"), "'teacher.onnx'", "'z'", "x, sigma");
    }

    private static double LargestError(int steps)
    {
        var teacher = Teacher();
        using var sampler = new HeunSampler(teacher);
        var found = sampler.Sample(50, seed: 3, steps: steps).Data;
        var z = new float[50];
        new NoiseStream(3, StreamId.Latent).FillNormal(z, 0);
        var largest = teacher.Card.SigmaMax;
        return z.Zip(found, (n, x) => Math.Abs(Mean + (((n * largest) - Mean) * Std / Math.Sqrt((Std * Std) + (largest * largest))) - x)).Max();
    }

    private static Denoiser Teacher() => MixtureTeacher.Build(new GaussianMixture([1], [[Mean]], [Std]));

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
