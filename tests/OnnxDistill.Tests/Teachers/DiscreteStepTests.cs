using System.Globalization;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Networks with whole steps know the levels of a table only: what is added and what is told agree.</summary>
[TestClass]
public sealed class DiscreteStepTests
{
    private static readonly ImportOptions Eps = new() { Prediction = "eps", Schedule = "ddpm", SigmaData = RawMixtures.SigmaData };

    [TestMethod]
    [DataRow(ElementType.Int64)]
    [DataRow(ElementType.Int32)]
    public void WholeStepsAreRoundedToAndTheCardCarriesTheirLevels(ElementType type)
    {
        using var files = new TestFiles();
        OnnxWriter.Write(Steps(type), files["raw.onnx"]);
        var teacher = TeacherImporter.Import(files["raw.onnx"], Eps);
        OnnxWriter.Write(teacher.Model, files["teacher.onnx"]);
        teacher = Denoiser.Load(files["teacher.onnx"]);
        Assert.AreEqual(("step", "ddpm", 1000), (teacher.Card.Time, teacher.Card.Schedule, teacher.Card.Levels!.Count));

        var sigmas = Array.ConvertAll(NoiseTables.Ddpm(1000), static p => Math.Sqrt((1 - p) / p));
        Assert.AreEqual(sigmas[500], teacher.RoundSigma(sigmas[500] + (0.4 * (sigmas[501] - sigmas[500]))), 1e-12 * sigmas[500]);
        Assert.AreEqual(sigmas[501], teacher.RoundSigma(sigmas[500] + (0.6 * (sigmas[501] - sigmas[500]))), 1e-12 * sigmas[500]);
        Assert.AreEqual(sigmas[0], teacher.RoundSigma(1e-4), 1e-14);
        Assert.AreEqual(sigmas[^1], teacher.RoundSigma(1e4), 1e-9);
        // At its own levels it is exact: float32 as elsewhere.
        ImportedRaw.AssertExact(teacher, (sigmas[0], sigmas[^1]), 1e-5);
    }

    [TestMethod]
    public void ItIsSampledAtLevelsThatItKnows()
    {
        var card = ImportedRaw.Import(Steps(ElementType.Int64), Eps).Card;
        var levels = TeacherSampler.Levels(card, new SamplerOptions { Steps = 40 });
        Assert.AreEqual(0, levels[^1]);
        foreach (var level in levels.SkipLast(1))
            Assert.Contains(level, card.Levels!.Sigmas);
        CollectionAssert.AreEqual(levels.OrderDescending().Distinct().ToArray(), levels);
    }

    [TestMethod]
    public void BetweenTwoLevelsTheNearerOneHoldsThroughout()
    {
        var teacher = ImportedRaw.Import(Steps(ElementType.Int64), Eps);
        var sigmas = teacher.Card.Levels!.Sigmas;
        float[] x = [0.3f, -0.2f];
        var (low, high) = (sigmas[700], sigmas[701]);
        var near = ImportedRaw.Denoise(teacher, x, [(float)(low + (0.4 * (high - low)))]);
        CollectionAssert.AreEqual(ImportedRaw.Denoise(teacher, x, [(float)low]), near, "not only the step: sigma and alpha of the formula are that level's as well");
    }

    [TestMethod]
    public void AFloatTimeThatIsCastToAWholeNumberIsAWholeStep()
    {
        var teacher = ImportedRaw.Import(Steps(ElementType.Float32), Eps);
        Assert.AreEqual("step", teacher.Card.Time);
        Expect.Error<TeacherMismatchException>(() => ImportedRaw.Import(Steps(ElementType.Float32), Eps with { Time = "fractional-step" }), "whole numbers", "--time step");
    }

    [TestMethod]
    public void ARealStepNeedsNoRounding()
    {
        var teacher = ImportedRaw.Import(RawMixtures.Build("eps", RawFrames.Ddpm), Eps);
        Assert.AreEqual("fractional-step", teacher.Card.Time);
        Assert.IsNull(teacher.Card.Levels);
        Assert.AreEqual(1.2345, teacher.RoundSigma(1.2345));
    }

    /// <summary>A table of one's own, in every form that is read, is the built-in one when it has its numbers.</summary>
    [TestMethod]
    [DataRow("table.npy")]
    [DataRow("pairs.npy")]
    [DataRow("products.csv")]
    [DataRow("levels.csv")]
    public void ATableOfOnesOwnIsReadFromItsFile(string name)
    {
        using var files = new TestFiles();
        var products = NoiseTables.Ddpm(1000);
        string Text(double v) => v.ToString("R", CultureInfo.InvariantCulture);
        NpyFile.Write(files["table.npy"], TensorData.Of(products, 1000));
        NpyFile.Write(files["pairs.npy"], TensorData.Of(products.SelectMany(static p => new[] { Math.Sqrt(p), Math.Sqrt(1 - p) }).ToArray(), 1000, 2));
        files.Write("products.csv", "alphas_cumprod\n" + string.Join('\n', products.Select(Text)) + "\n");
        // Noisiest first, with the step told: the order of rows does not matter then.
        files.Write("levels.csv", "alpha,sigma,t\n" + string.Join('\n', products.Select((p, i) => $"{Text(Math.Sqrt(p))},{Text(Math.Sqrt(1 - p))},{i}").Reverse()) + "\n");
        var own = ImportedRaw.Import(Steps(ElementType.Int64), Eps with { Schedule = $"table:{files[name]}" });
        Assert.AreEqual($"table:{name}", own.Card.Schedule, "the file's folder is nobody's business");
        ImportedRaw.AssertExact(own, (0.01, 157), 1e-5); // as above
    }

    [TestMethod]
    public void AVarianceThatIsNotPreservedIsInterpolatedToo()
    {
        using var files = new TestFiles();
        // Sub-VP at a thousand times: alpha² + noise² is not 1.
        var rows = Enumerable.Range(1, 1000).Select(i => i / 1000.0).Select(t => Math.Exp(-((9.95 * t * t) + (0.1 * t)) / 2) is var a ? FormattableString.Invariant($"{a:R},{1 - (a * a):R},{999 * t:R}") : "");
        files.Write("sub.csv", "alpha,sigma,t\n" + string.Join('\n', rows) + "\n");
        var frame = RawFrames.All.Single(f => f.Schedule == "sub-vp");
        var teacher = ImportedRaw.Import(RawMixtures.Build("eps", frame), Eps with { Schedule = $"table:{files["sub.csv"]}" });
        // Between the rows, time is linear in ln(sigma) to second order of their distance: (0.02)²/8.
        ImportedRaw.AssertExact(teacher, (0.01, 100), 1e-4);
    }

    [TestMethod]
    [DataRow("alpha,noise\n1,0.1\n", "no column 'sigma'")]
    [DataRow("alphas_cumprod\n0.9\n1.1\n", "between 0 and 1")]
    [DataRow("alphas_cumprod\n0.9\n", "1 levels", "at least 2")]
    [DataRow("alpha,sigma\n0.9,0.1\n0.9,0.1\n", "have one level")]
    [DataRow("alpha,sigma\n0.9,0.1\n0.8,-0.2\n", "row 1", "-0.2")]
    public void ATableThatCannotBeIsRefused(string text, params string[] words)
    {
        using var files = new TestFiles();
        var path = files.Write("bad.csv", text);
        Expect.Error<ModelFileException>(() => ImportedRaw.Import(Steps(ElementType.Int64), Eps with { Schedule = $"table:{path}" }), [.. words, "bad.csv"]);
    }

    [TestMethod]
    public void NoiseWithoutDataHasNoLevel()
    {
        using var files = new TestFiles();
        // A zero terminal signal-to-noise ratio: the last step is noise alone.
        var path = files.Write("zero.csv", "alphas_cumprod\n0.99\n0.5\n0\n");
        Assert.AreEqual(2, ImportedRaw.Import(Steps(ElementType.Int64), Eps with { Schedule = $"table:{path}" }).Card.Levels!.Count);
    }

    [TestMethod]
    public void LevelsComeBackFromTheirTextBitForBit()
    {
        var levels = new NoiseLevels([3, 1 / 3.0, Math.PI * 1e-3]);
        Assert.AreEqual(levels, NoiseLevels.Parse(levels.ToString()));
        Expect.Error<TeacherMismatchException>(() => NoiseLevels.Parse("1 two"), "'two'", "Import");
        Expect.Error<TeacherMismatchException>(() => new NoiseLevels([1, 0]), "above 0", "found 0");
    }

    // The noise of a network of DDPM's steps: inputs x [N, 2] and t [N] of that type.
    private static OnnxModel Steps(ElementType type)
    {
        var b = new GraphBuilder("steps");
        var x = b.Input("x", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        var t = b.Input("t", type, Shape.Of(Dim.Named("N")));
        // An embedding's table would be looked up with it.
        var whole = b.Cast(b.Cast(t, ElementType.Int64), ElementType.Float32);
        b.Output("eps", RawMixtures.Answer(b, "eps", RawFrames.Ddpm, x, whole));
        return new OnnxModel(b.Graph);
    }
}
