using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Every prediction under every schedule and time form becomes the exact D(x; sigma).</summary>
[TestClass]
public sealed class ConventionTests
{
    public static IEnumerable<object[]> Rows => ConventionCases.All.Select(static c => new object[] { c.Prediction });

    [TestMethod]
    public void EveryPredictionScheduleAndTimeFormHasARow()
    {
        CollectionAssert.AreEqual(TeacherImporter.Predictions.Select(p => p.Name).ToArray(), ConventionCases.All.Select(c => c.Prediction).ToArray());
        CollectionAssert.AreEqual(TeacherImporter.Schedules.Select(s => s.Name).SkipLast(1).ToArray(), RawFrames.All.Select(f => f.Schedule.Split(':')[0]).Distinct().ToArray());
        string[] elsewhere = ["fractional-step", "sigma", "step", "t"]; // the usual forms, and whole steps: DiscreteStepTests
        CollectionAssert.AreEquivalent(TeacherImporter.TimeForms.Select(t => t.Name).Except(elsewhere).ToArray(), RawFrames.All.Select(f => f.Time).Where(t => t.Length > 0 && !elsewhere.Contains(t)).Distinct().ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void TheExactNetworkBecomesTheExactDenoiser(string prediction)
    {
        foreach (var frame in ConventionCases.All.Single(c => c.Prediction == prediction).Frames)
        {
            var teacher = ImportedRaw.Import(RawMixtures.Build(prediction, frame), new ImportOptions
            {
                Prediction = prediction,
                Schedule = frame.Schedule,
                Time = frame.Time,
                SigmaData = RawMixtures.SigmaData,
            });
            try
            {
                // float32: x of sigma's size is taken apart and put together again, and the time is told to 1e-7 of itself. A step near 1000 is told to 6e-5, and between
                // the last steps of the cosine ln(sigma) grows by 0.3.
                ImportedRaw.AssertExact(teacher, frame.Range, frame.IsTable ? 5e-5 : 1e-5);
            }
            catch (AssertFailedException error)
            {
                throw new AssertFailedException($"{prediction} under {frame}: {error.Message}", error);
            }
        }
    }

    [TestMethod]
    [DataRow("denoiser")]
    [DataRow("edm")]
    [DataRow("flow")]
    [DataRow("reversed-flow")]
    [DataRow("scaled-score")]
    public void APredictionBringsItsScheduleAndTimeForm(string prediction)
    {
        var frame = RawFrames.All.First(f => (f.Schedule, f.Time) == prediction switch
        {
            "denoiser" => ("edm", "sigma"),
            "edm" => ("edm", "c-noise"),
            "scaled-score" => ("ve", "log-half-sigma"),
            _ => (prediction, ""),
        });
        var teacher = ImportedRaw.Import(RawMixtures.Build(prediction, frame), new ImportOptions { Prediction = prediction, SigmaData = RawMixtures.SigmaData });
        ImportedRaw.AssertExact(teacher, frame.Range, 1e-5);
    }

    [TestMethod]
    [DataRow("vp", 0.00100, 152.17)] // EDM's VPPrecond: sigma(1e-5), sigma(1)
    [DataRow("scaled-linear", 0.0292, 14.6146)] // Stable Diffusion's well-known ends
    [DataRow("ddpm", 0.0100, 157.41)]
    [DataRow("ve", 0.02, 100)]
    public void TheScheduleDecidesTheLevels(string schedule, double smallest, double largest)
    {
        var card = ImportedRaw.Import(RawMixtures.Build("eps", RawFrames.Vp), new ImportOptions { Prediction = "eps", Schedule = schedule }).Card;
        Assert.AreEqual(smallest, card.SigmaMin, smallest * 0.005); // as many figures as are published
        Assert.AreEqual(largest, card.SigmaMax, largest * 1e-4);
    }

    public static IEnumerable<object[]> Wrong =>
    [
        [new ImportOptions { Prediction = "velocity" }, new[] { "--prediction velocity", "flow", "denoiser" }],
        [new ImportOptions { Prediction = "eps" }, new[] { "eps needs --schedule", "vp =", "table:FILE" }],
        [new ImportOptions { Prediction = "eps", Schedule = "linear" }, new[] { "--schedule linear", "ddpm =" }],
        [new ImportOptions { Prediction = "eps", Schedule = "vp:beta_max=20" }, new[] { "'beta_max=20'", "beta_min=0.1", "beta_d=19.9" }],
        [new ImportOptions { Prediction = "eps", Schedule = "flow:t=1" }, new[] { "'t=1'", "no parameters" }],
        [new ImportOptions { Prediction = "eps", Schedule = "vp", Time = "step" }, new[] { "--time step", "schedule of steps", "ddpm", "found vp" }],
        [new ImportOptions { Time = "clock" }, new[] { "--time clock", "c-noise" }],
        [new ImportOptions { Prediction = "edm", Schedule = "vp" }, new[] { "own scaling", "edm or ve" }],
        [new ImportOptions { Range = "1..0" }, new[] { "--range", "'1..0'", "0..255" }],
        [new ImportOptions { Channels = "bgr" }, new[] { "--channels bgr", "four axes" }],
        [new ImportOptions { Guidance = 2 }, new[] { "--guidance 2", "--null-label" }],
    ];

    [TestMethod]
    [DynamicData(nameof(Wrong))]
    public void WhatDoesNotGoTogetherIsAnsweredWithWhatDoes(ImportOptions options, string[] words) =>
        Expect.Error<TeacherMismatchException>(() => ImportedRaw.Import(RawMixtures.Build("flow", RawFrames.Flow), options), words);
}
