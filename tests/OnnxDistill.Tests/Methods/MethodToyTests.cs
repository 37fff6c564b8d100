using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>Every method reaches the two modes of the plane in its stated number of steps. For a student: the maximum mean discrepancy to the
/// mixture (for one that seeks modes the negative mean log-density). For a fit: the root mean square distance to the exact denoiser at noised samples, over the data's deviation.</summary>
[TestClass]
public sealed class MethodToyTests
{
    public static IEnumerable<object[]> Cases => MethodCases.All.Where(c => c.Toy.Length > 0).Select(c => new object[] { c });

    [TestMethod]
    public void EveryMethodHasAToy() => CollectionAssert.AreEquivalent(DistillationMethods.Names.ToArray(),
        MethodCases.All.Where(c => c.Toy.Length > 0).Select(c => c.Name).Distinct().ToArray());

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ConvergesOnTwoModesOfThePlane(object row)
    {
        var c = (MethodCase)row;
        using var files = new TestFiles();
        var program = Toys.Program(files, c.Name, [.. c.Options.Select(o => $"options.{o.Key}={o.Value}"), .. c.Toy]);
        using var engine = new TrainingEngine(program);
        var before = Distance(c, engine, files);
        var steps = program.Recipe.Recipe.Training.Images / program.Task.Batch;
        for (var i = 0; i < steps; i++)
            Assert.AreEqual(0, engine.Step().Skipped);
        var after = Distance(c, engine, files);
        Console.WriteLine(FormattableString.Invariant($"{c}: {before:F4} -> {after:F4} in {steps} steps"));
        Assert.IsLessThanOrEqualTo(c.Distance, after);
        Assert.IsGreaterThan(3 * c.Distance, before, "the start has to be far away, or the test shows nothing");
    }

    private static double Distance(MethodCase c, TrainingEngine engine, TestFiles files)
    {
        var model = RunExport.Build(engine);
        if (engine.Program.Recipe.Method.Name == DenoisingScoreMatching.MethodName)
            return DistanceToExact(model);
        using var sampler = new OnnxDistill.Sampling.GeneratorSampler(model);
        using var evaluator = new OnnxDistill.Evaluation.Evaluator(new() { Mixture = files["mixture.csv"], Samples = 2000, Metrics = [c.Measure.Metric.Split('.')[0]] });
        return c.Measure.Sign * evaluator.Measure(sampler.Sample(2000, 7))[c.Measure.Metric];
    }

    private static double DistanceToExact(OnnxModel model)
    {
        const int count = 512;
        var random = new TestRandom(4);
        var clean = Toys.TwoModes.Sample(random.Uniforms(count), random.Normals(2 * count)).Data;
        // The levels of EDM's law, on which the fit was made.
        var sigma = Array.ConvertAll(random.Normals(count), n => (float)Math.Exp(-1 + (1.2 * n)));
        var noise = random.FloatNormals(2 * count);
        var noisy = clean.Select((x, i) => x + (sigma[i / 2] * noise[i])).ToArray();
        using var session = GraphSession.Create(model);
        var found = session.Run(new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(noisy, count, 2),
            [Denoiser.Sigma] = TensorData.Of(sigma, count),
        })[Denoiser.Denoised].ToDoubles();
        var exact = new MixtureDenoiser(Toys.TwoModes);
        var square = Enumerable.Range(0, count).Sum(i => exact.Denoise([noisy[2 * i], noisy[(2 * i) + 1]], sigma[i])
            .Zip(found[(2 * i)..((2 * i) + 2)], (a, b) => (a - b) * (a - b)).Sum());
        return Math.Sqrt(square / (2 * count)) / MixtureTeacher.Card(Toys.TwoModes, "").SigmaData;
    }
}
