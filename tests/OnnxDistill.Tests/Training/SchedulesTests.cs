using OnnxDistill.Recipes;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Learning rates and averages against their formulas.</summary>
[TestClass]
public sealed class SchedulesTests
{
    // Formulas in double on both sides.
    private const double Rounding = 1e-15;

    [TestMethod]
    public void WithoutWarmUpAndDecayTheRateIsConstant()
    {
        var options = new OptimizerOptions { LearningRate = 0.25 };
        foreach (var seen in new long[] { 0, 1, 500, 1000, 5000 })
            Assert.AreEqual(0.25, Schedules.LearningRate(options, seen, 1000), Rounding);
    }

    [TestMethod]
    [DataRow(0, 0)]
    [DataRow(50, 0.5)]
    [DataRow(100, 1)]
    [DataRow(101, 1)]
    public void WarmUpRisesLinearly(long seen, double share) =>
        Assert.AreEqual(share * 0.25, Schedules.LearningRate(new OptimizerOptions { LearningRate = 0.25, WarmUpImages = 100 }, seen, 1000), Rounding);

    [TestMethod]
    [DataRow(0, 1)]
    [DataRow(250, 0.1 + (0.9 * (1 + 0.70710678118654752) / 2))]
    [DataRow(500, 0.55)]
    [DataRow(1000, 0.1)]
    [DataRow(2000, 0.1)]
    public void TheRateFallsAlongACosine(long seen, double share) =>
        Assert.AreEqual(share * 0.25, Schedules.LearningRate(new OptimizerOptions { LearningRate = 0.25, FinalFraction = 0.1 }, seen, 1000), Rounding);

    [TestMethod]
    public void WarmUpAndCosineMultiply() =>
        Assert.AreEqual(0.5 * 0.55, Schedules.LearningRate(new OptimizerOptions { LearningRate = 1, FinalFraction = 0.1, WarmUpImages = 1000 }, 500, 1000), Rounding);

    [TestMethod]
    public void TheAverageHalvesInItsHalfLife()
    {
        var options = new EmaOptions { HalfLifeImages = 1000, RampUp = 0 };
        Assert.AreEqual(0.5, Math.Pow(Schedules.EmaBeta(options, 0, 50), 1000 / 50.0), Rounding * 20);
        Assert.AreEqual(Math.Pow(0.5, 0.05), Schedules.EmaBeta(options, 1_000_000, 50), Rounding);
    }

    [TestMethod]
    public void TheHalfLifeRampsUpWithTheImagesSeen()
    {
        var options = new EmaOptions { HalfLifeImages = 1000, RampUp = 0.05 };
        Assert.AreEqual(0, Schedules.EmaBeta(options, 0, 50), "nothing seen: a copy of the weights");
        Assert.AreEqual(Math.Pow(0.5, 50 / (400 * 0.05)), Schedules.EmaBeta(options, 400, 50), Rounding);
        Assert.AreEqual(Math.Pow(0.5, 0.05), Schedules.EmaBeta(options, 20_000, 50), Rounding, "the ramp ends at half-life / ramp-up");
        Assert.AreEqual(Math.Pow(0.5, 0.05), Schedules.EmaBeta(options, 1_000_000, 50), Rounding);
    }
}
