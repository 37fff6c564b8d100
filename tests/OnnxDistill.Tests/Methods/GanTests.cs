using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>The GAN's penalty R1 is what Mescheder et al. 2018 (arXiv 1801.04406), equation 9, say.</summary>
[TestClass]
public sealed class GanTests
{
    private const int Batch = 6;
    private const double Gamma = 3;

    [TestMethod]
    public void ThePenaltyIsHalfGammaTimesTheSquaredSlopeOfTheLogitsAtRealSamples()
    {
        var (with, real) = Loss(Gamma);
        var (without, _) = Loss(0);
        var discriminator = SampleDiscriminator.Build(Shape.Of(Batch, 2), 0, width: 8, seed: 0);
        using var session = GraphSession.Create(discriminator.Model);
        double[] Logits(int coordinate, double step)
        {
            var moved = real.Select((v, i) => i % 2 == coordinate ? v + step : v).Select(v => (float)v).ToArray();
            return session.Run(new Dictionary<string, TensorData> { [SampleDiscriminator.X] = TensorData.Of(moved, Batch, 2) })[SampleDiscriminator.Logits].ToDoubles();
        }
        const double step = 0.01;
        var slopes = Enumerable.Range(0, 2).Sum(c => Logits(c, step).Zip(Logits(c, -step), (above, below) => Math.Pow((above - below) / (2 * step), 2)).Sum());
        var expected = Gamma / 2 * slopes / Batch;
        Assert.IsGreaterThan(0.01, expected);
        Assert.AreEqual(expected, with - without, 2e-3 * expected); // float32 logits over a step of 0.02: rounding and curvature of a thousandth
    }

    // The discriminator's loss, and the real samples that it saw: m_k + s_k n.
    private static (double Loss, double[] Real) Loss(double gamma)
    {
        var method = new Gan(new GanOptions { R1 = gamma, DiscriminatorWidth = 8 });
        var task = new DistillationTask(Batch, [2], 0.5, 1, 0) { Mixture = Toys.TwoModes };
        var (_, _, networks) = TrainingProgram.Templates(method, null, Toys.Mlp(2, 8), task);
        var run = PhaseRun.Of(method.Phases[0], task, null, networks);
        var (modes, noise) = (run.Feeds["mode"].ToLongs(), run.Feeds["data_noise"].ToDoubles());
        return (run.Loss, [.. noise.Select((n, i) => Toys.TwoModes.Mean((int)modes[i / 2])[i % 2] + (Toys.TwoModes.Stds[(int)modes[i / 2]] * n))]);
    }
}
