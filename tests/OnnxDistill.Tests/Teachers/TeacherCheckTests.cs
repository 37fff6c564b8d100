using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Cli;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;

namespace OnnxDistill.Tests.Teachers;

/// <summary>An import with a wrong convention does not denoise; the check says so, and what would.</summary>
[TestClass]
public sealed class TeacherCheckTests
{
    public static IEnumerable<object[]> Predictions => ConventionCases.Free.Select(static p => new object[] { p });

    public static IEnumerable<object[]> Frames => RawFrames.All.Select(static f => new object[] { f });

    [TestMethod]
    public void AStoppedSearchTellsWhatItKnowsByThen()
    {
        using var files = new TestFiles();
        OnnxWriter.Write(TinyFiles.Nonsense(), files["raw.onnx"]);
        var error = Assert.ThrowsExactly<TeacherMismatchException>(() =>
            TeacherImporter.ImportChecked(files["raw.onnx"], new ImportOptions { Prediction = "flow" }, new CancellationToken(canceled: true)));
        StringAssert.Contains(error.Message, "Neither does it in any of 0 other ways that were tried.");
    }

    [TestMethod]
    [DynamicData(nameof(Frames))]
    public void TheRightConventionPassesByFar(object frame)
    {
        var f = (RawFrame)frame;
        var check = TeacherCheck.Run(ImportedRaw.Import(RawMixtures.Build("x0", f), Told("x0", f)));
        Assert.IsTrue(check.Passed, string.Join('\n', check.Faults));
        // Of all coordinates about one mean: a mean square of 0.455 less 0.01. 4096 points of two modes leave a standard error of about 0.005.
        Assert.AreEqual(0.667, check.SampleStd, 0.02);
    }

    /// <summary>A network that predicts one thing, taken as each other thing.</summary>
    [TestMethod]
    [DynamicData(nameof(Predictions))]
    public void EveryWrongPredictionIsRefused(string truth)
    {
        var raw = RawMixtures.Build(truth, RawFrames.Vp);
        foreach (var told in ConventionCases.Free.Where(p => p != truth && !(IsSample(p) && IsSample(truth))))
        {
            var check = TeacherCheck.Run(ImportedRaw.Import(raw, Told(told, RawFrames.Vp)));
            Assert.IsFalse(check.Passed, $"{truth} taken as {told}: {check}");
        }
    }

    [TestMethod]
    [DataRow("eps", "v")]
    [DataRow("v", "eps")]
    [DataRow("x0", "eps")]
    [DataRow("score", "x0")]
    [DataRow("scaled-score", "score")]
    [DataRow("flow", "reversed-flow")]
    public void WhatItDoesPredictIsNamed(string truth, string told) =>
        AssertNamed(RawMixtures.Build(truth, RawFrames.Vp), Told(told, RawFrames.Vp), $"'{told}'", $"Taken as '--prediction {truth}' it does");

    [TestMethod]
    public void ReversedTimeIsNamed()
    {
        AssertNamed(RawMixtures.Build("flow", RawFrames.Flow), new ImportOptions { Prediction = "reversed-flow" }, "'--prediction flow' it does");
        AssertNamed(RawMixtures.Build("reversed-flow", RawFrames.ReversedFlow), new ImportOptions { Prediction = "flow" }, "'--prediction reversed-flow' it does");
    }

    [TestMethod]
    public void AnotherScaleOfTimeIsNamed() => AssertNamed(RawMixtures.Build("eps", RawFrames.Vp), Told("eps", RawFrames.Vp) with { TimeScale = 1 }, "time t,", "--time-scale 999");

    [TestMethod]
    public void AnotherScheduleIsNamed() => AssertNamed(RawMixtures.Build("eps", RawFrames.Flow), Told("eps", RawFrames.Vp), "schedule vp", "'--schedule flow' it does");

    [TestMethod]
    public void ADenoiserOfAGaussianTakenAsAFlowIsRefused()
    {
        var gaussian = RawNetworks.Denoiser(0.4, 0.5);
        AssertNamed(gaussian, new ImportOptions { Prediction = "flow" }, "'--prediction denoiser' it does");
        // Without a mean as well, where everything is a multiple of x.
        AssertNamed(RawNetworks.Denoiser(0, 0.5), new ImportOptions { Prediction = "flow" }, "'--prediction denoiser' it does");
        AssertNamed(RawNetworks.Flow(0, 0.5), new ImportOptions { Prediction = "denoiser" }, "'--prediction flow' it does");
    }

    [TestMethod]
    public void NetworksThatNoConventionMakesADenoiserAreRefused()
    {
        AssertNamed(RawNetworks.Model((b, x, _) => b.Mul(x, 1)), new ImportOptions { Prediction = "denoiser" }, "Neither does it in any", "Nothing was written");
        AssertNamed(RawNetworks.Model((b, x, _) => b.Sqrt(b.Sub(b.Mul(x, 0), b.Scalar(1)))), new ImportOptions { Prediction = "denoiser" }, "not finite", "Neither does it");
        AssertNamed(RawNetworks.Model((b, x, _) => b.Add(b.Mul(x, 0), 0.5)), new ImportOptions { Prediction = "denoiser" }, "one and the same number", "Neither does it");
    }

    [TestMethod]
    public void AMixturePasses() => Assert.IsTrue(TeacherCheck.Run(MixtureTeacher.Build(Toys.TwoModes)).Passed);

    [TestMethod]
    [TestCategory("Slow")]
    public void TheDitIsImportedCheckedAndCanBeDifferentiated()
    {
        var guess = ConventionGuess.Of(OnnxReader.Read(Dit.Raw()).Graph);
        Assert.AreEqual(("zt", "t", "cond"), (guess.Roles.Sample?.Name, guess.Roles.Time?.Name, guess.Roles.Label?.Name));
        var (teacher, _, check) = TeacherImporter.ImportChecked(Dit.Raw(), new ImportOptions { Prediction = "flow", Labels = 10, NullLabel = 10 });
        Assert.AreEqual((10, 10, "image", "1x32x32"), (teacher.Card.Labels, teacher.Card.NullLabel, teacher.Card.Data, teacher.Card.Shape));
        CollectionAssert.AreEqual(new long[] { 1, 32, 32 }, teacher.DataShape);
        Assert.IsNotNull(check);
        Assert.IsGreaterThan(10, check.Levels.MinBy(l => Math.Abs(l.Sigma - 0.5))!.Gain, "a trained network on images does much better than a Gaussian's 2");

        var network = teacher.AtBatch(2);
        var coverage = CoverageReport.Of(network.Model.Graph.Nodes);
        Assert.IsTrue(coverage.IsComplete, coverage.Describe());
        Assert.AreEqual(354_148, network.ParameterCount);
    }

    private static void AssertNamed(OnnxModel raw, ImportOptions told, params string[] words) =>
        Expect.Error<TeacherMismatchException>(() => ImportedRaw.Check(raw, told), [.. words, "raw.onnx", "does not denoise"]);

    private static bool IsSample(string prediction) => prediction is "x0" or "denoiser";

    private static ImportOptions Told(string prediction, RawFrame frame) =>
        new() { Prediction = prediction, Schedule = frame.Schedule, Time = frame.Time, SigmaData = RawMixtures.SigmaData };
}
