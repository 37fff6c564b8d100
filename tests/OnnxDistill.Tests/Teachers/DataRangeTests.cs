using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Methods;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Images of any range, order of channels and order of axes: the teacher's are always [N, RGB, H, W] in [-1, 1].</summary>
[TestClass]
public sealed class DataRangeTests
{
    // A picture of one place and three colors.
    private static readonly GaussianMixture Colors = new([1, 1], [[-0.9, 0.6, 0.1], [0.8, -0.7, 0.5]], [0.02, 0.03]);
    private static readonly double SigmaData = MixtureTeacher.Card(Colors, "").SigmaData;

    [TestMethod]
    [DataRow("-1..1", "rgb", "nchw")]
    [DataRow("0..1", "rgb", "nchw")]
    [DataRow("0..255", "bgr", "nchw")]
    [DataRow("0..1", "bgr", "nhwc")]
    [DataRow("-1..1", "rgb", "nhwc")]
    public void NoiseIsScaledAndAxesAreOrderedAsTheNetworkWantsThem(string range, string channels, string layout)
    {
        var options = new ImportOptions { Prediction = "eps", Schedule = "edm", Range = range, Channels = channels, Layout = layout, SigmaData = SigmaData };
        var teacher = ImportedRaw.Import(Raw(options), options);
        CollectionAssert.AreEqual(new long[] { 3, 1, 1 }, teacher.DataShape);
        Assert.AreEqual(("image", range, channels, "3x1x1"), (teacher.Card.Data, teacher.Card.Range, teacher.Card.Channels, teacher.Card.Shape));
        Assert.AreEqual(80 * SigmaData / 0.5, teacher.Card.SigmaMax, 1e-9, "levels are the teacher's, whatever the network's units");
        float[] sigma = [0.01f, 0.3f, 20];
        float[] x = [-0.9f, 0.61f, 0.12f, 0.5f, -0.4f, 0.4f, 12, -8, 30];
        var found = ImportedRaw.Denoise(teacher, x, sigma);
        for (var i = 0; i < sigma.Length; i++)
        {
            var expected = new MixtureDenoiser(Colors).Denoise([x[3 * i], x[(3 * i) + 1], x[(3 * i) + 2]], sigma[i]);
            for (var c = 0; c < 3; c++)
                Assert.AreEqual(expected[c], found[(3 * i) + c], 1e-5 * (1 + sigma[i])); // float32, as in ConventionTests
        }
    }

    [TestMethod]
    [DataRow("0..1", "-1..1")]
    [DataRow("0..255", "-1..1")]
    [DataRow("-1..1", "0..1")]
    [DataRow("-1..1", "0..255")]
    public void AWrongRangeIsRefusedAndTheRightOneNamed(string truth, string told)
    {
        var options = new ImportOptions { Prediction = "eps", Schedule = "ve:sigma_min=0.002,sigma_max=20000", SigmaData = SigmaData };
        Expect.Error<TeacherMismatchException>(() => ImportedRaw.Check(Raw(options with { Range = truth }), options with { Range = told }), "does not denoise", $"range {told}", $"'--range={truth}' it does");
    }

    [TestMethod]
    public void TheRightRangePassesAndAFreeOneIsNotLookedAt()
    {
        var options = new ImportOptions { Prediction = "eps", Schedule = "edm", SigmaData = SigmaData };
        var (low, high) = ImportedRaw.Check(Raw(options), options).Check.SampleRange;
        Assert.AreEqual(-0.9, low, 0.1);
        Assert.AreEqual(0.8, high, 0.1);
        // Numbers of 0..1 that nobody says are a range's.
        Assert.IsTrue(ImportedRaw.Check(Raw(options with { Range = "0..1" }), options with { Range = "free", SigmaData = SigmaData / 2 }).Check.Passed);
    }

    // The noise of x0 + sigma noise in the network's own range and axes.
    private static OnnxModel Raw(ImportOptions options)
    {
        var (half, middle) = options.Range switch { "0..1" => (0.5, 0.5), "0..255" => (127.5, 127.5), _ => (1, 0) };
        var isLast = options.Layout == "nhwc";
        var b = new GraphBuilder("raw");
        var batch = Dim.Named("N");
        var y = b.Input("x", ElementType.Float32, isLast ? Shape.Of(batch, 1, 1, 3) : Shape.Of(batch, 3, 1, 1));
        var sigma = b.Mul(b.Input("sigma", ElementType.Float32, Shape.Of(batch)), 1 / half);
        var order = options.Channels == "bgr" ? b.Longs(2, 1, 0) : b.Longs(0, 1, 2);
        var x = b.Gather(b.Mul(b.Sub(b.Reshape(y, Shape.Of(batch, 3)), b.Scalar(middle)), 1 / half), order, 1);
        var noise = b.Div(b.Sub(x, RawMixtures.Denoise(b, Colors, x, sigma)), b.PerSample(sigma, 2));
        b.Output("eps", b.Reshape(b.Gather(noise, order, 1), y.Shape));
        return new OnnxModel(b.Graph);
    }
}
