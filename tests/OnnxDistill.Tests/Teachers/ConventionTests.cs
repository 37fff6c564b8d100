using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers.Conventions;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Every convention turns its network into D(x; sigma).</summary>
[TestClass]
public sealed class ConventionTests
{
    private const int Count = 24;

    private static readonly float[] Sigma = [.. Enumerable.Range(0, Count).Select(i => (float)(0.002 * Math.Pow(40_000, i / (Count - 1.0))))];
    private static readonly float[] Clean = new TestRandom(1).FloatNormals(2 * Count);
    private static readonly float[] Noise = new TestRandom(2).FloatNormals(2 * Count);

    public static IEnumerable<object[]> Cases => ConventionCases.All.Select(c => new object[] { c });

    [TestMethod]
    public void EveryConventionHasACase() =>
        CollectionAssert.AreEqual(TeacherConventions.All.Select(c => c.Name).ToArray(), ConventionCases.All.Select(c => c.Name).ToArray());

    /// <summary>Clean -> noisy -> what the network sees and puts out -> clean.</summary>
    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ANetworkThatKnowsTheAnswerGivesTheCleanSampleBack(object row)
    {
        var c = (ConventionCase)row;
        var output = Clean.Select((x, i) => (float)c.Output(x, Noise[i], Sigma[i / 2])).ToArray();
        var results = Run(c, (b, state, time) =>
        {
            b.Output("state", b.Mul(state, 1));
            b.Output("time", b.Mul(time, 1));
            return b.Constant(TensorData.Of(output, Count, 2));
        });
        for (var i = 0; i < Clean.Length; i++)
        {
            var sigma = Sigma[i / 2];
            // The noise of up to 80 is subtracted again: float32 at that size.
            var rounding = 3e-7 * (1 + sigma);
            Assert.AreEqual(c.State(Clean[i], Noise[i], sigma), results["state"][i], rounding);
            Assert.AreEqual(c.Time(sigma), results["time"][i / 2], 3e-7 * (1 + c.Time(sigma)));
            Assert.AreEqual(Clean[i], results["denoised"][i], rounding * 3, $"at {sigma}");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void TheExactNetworkOfAGaussianBecomesItsExactDenoiser(object row)
    {
        var c = (ConventionCase)row;
        const double mean = 0.3, std = 0.5;
        var found = Run(c, (b, state, time) => c.Exact(b, state, time, mean, std))["denoised"];
        for (var i = 0; i < Clean.Length; i++)
        {
            double sigma = Sigma[i / 2];
            var noisy = Clean[i] + (sigma * Noise[i]);
            var expected = ((std * std * noisy) + (sigma * sigma * mean)) / ((std * std) + (sigma * sigma));
            // As above; at high noise the flow's velocity is a difference of numbers of the noise's size.
            Assert.AreEqual(expected, found[i], 1e-6 * (1 + sigma), $"at {sigma}");
        }
    }

    [TestMethod]
    public void AConventionThatIsNotKnownIsAnsweredWithThoseThatAre() =>
        Expect.Error<TeacherMismatchException>(() => TeacherConventions.Find("velocity"), "velocity", "flow", "denoiser");

    private static Dictionary<string, double[]> Run(ConventionCase c, Func<GraphBuilder, Value, Value, Value> network)
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(Count, 2));
        var sigma = b.Input("sigma", ElementType.Float32, Shape.Of(Count));
        b.Output("denoised", b.Mul(TeacherConventions.Find(c.Name).Denoise(b, x, sigma, (state, time) => network(b, state, time)), 1));
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        return session.Run(new Dictionary<string, TensorData>
        {
            ["x"] = TensorData.Of(Clean.Select((v, i) => (float)(v + ((double)Sigma[i / 2] * Noise[i]))).ToArray(), Count, 2),
            ["sigma"] = TensorData.Of(Sigma, Count),
        }).ToDictionary(r => r.Key, r => r.Value.ToDoubles());
    }
}
