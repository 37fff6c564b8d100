using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Methods;

/// <summary>g = weight (f - r) / (mean|x - r| + epsilon), gradient g / (batch · pixels), on denoised samples given by hand.</summary>
[TestClass]
public sealed class DistributionMatchingTests
{
    private const int Batch = 4, Pixels = 3;

    private static readonly float[] X = new TestRandom(1).FloatNormals(Batch * Pixels);
    private static readonly float[] R = new TestRandom(2).FloatNormals(Batch * Pixels);
    private static readonly float[] F = new TestRandom(3).FloatNormals(Batch * Pixels);
    private static readonly float[] Weights = [2, 0.5f, 3, 0];

    [TestMethod]
    [DataRow(false, 0)]
    [DataRow(true, 0)]
    [DataRow(true, 0.25)]
    public void TheGradientOfASampleIsTheNormalisedDifference(bool weighted, double epsilon)
    {
        var run = Run(R, weighted, epsilon);
        var gradient = run.Gradient(Roles.Student, TestNetworks.SampleParameter);
        var expected = Expected(R, weighted, epsilon);
        for (var i = 0; i < X.Length; i++)
            Assert.AreEqual(expected[i] / X.Length, gradient[i], 1e-6); // float32 of numbers below 1
        Assert.AreEqual(0.5 * expected.Average(g => g * g), run.Loss, 1e-5 * run.Loss); // float32
    }

    [TestMethod]
    public void ASampleThatTheTeacherLeavesAsItIsGetsNoGradient()
    {
        // 1/0 for the first sample, whatever the fake score says, and 0/0 for the second, of which it says the same.
        var (r, f) = ((float[])[.. X[..6], .. R[6..]], (float[])[.. F[..3], .. X[3..6], .. F[6..]]);
        var run = Run(r, false, 0, f);
        var gradient = run.Gradient(Roles.Student, TestNetworks.SampleParameter);
        Assert.IsTrue(double.IsFinite(run.Loss) && gradient.All(double.IsFinite));
        Assert.IsTrue(gradient[..6].All(g => g == 0) && gradient[6..].All(g => g != 0));
    }

    [TestMethod]
    public void ANumberThatIsNoneIsNotHidden() => Assert.IsTrue(double.IsNaN(Run(R, false, 0, [float.NaN, .. F[1..]]).Loss));

    private static double[] Expected(float[] r, bool weighted, double epsilon) => [.. Enumerable.Range(0, X.Length).Select(i =>
    {
        var sample = i / Pixels;
        var distance = Enumerable.Range(sample * Pixels, Pixels).Average(j => Math.Abs((double)X[j] - r[j])) + epsilon;
        return (weighted ? Weights[sample] : 1) * ((double)F[i] - r[i]) / distance;
    })];

    private static PhaseRun Run(float[] r, bool weighted, double epsilon, float[]? f = null)
    {
        var phase = new TrainingPhase("student", [Roles.Student], c =>
        {
            Value Given(float[] numbers) => c.B.Constant(TensorData.Of(numbers, Batch, Pixels));
            return DistributionMatching.Loss(c, c.Student(c.Latent(), null), Given(r), Given(f ?? F), weighted ? c.B.Constant(TensorData.Of(Weights, Batch)) : null, epsilon);
        });
        return PhaseRun.Of(phase, new DistillationTask(Batch, [Pixels], 0.5, 1, 0), null,
            new Dictionary<string, Network> { [Roles.Student] = TestNetworks.Sample(X, Batch) });
    }
}
