using OnnxDistill.Data;
using OnnxDistill.Imaging;
using OnnxDistill.Tests.Data;
using SkiaSharp;

namespace OnnxDistill.Tests.Imaging;

[TestClass]
public sealed class PlotTests
{
    [TestMethod]
    public void APointIsDrawnWhereItsCoordinatesSay()
    {
        var plot = new ScatterPlot("", new SampleSet([2], []), new SampleSet([2], [0.5f, 0.75f])) { Range = new PlotRange(0, 1, 0, 1) };
        using var picture = SKBitmap.Decode(plot.ToPng());
        Assert.AreEqual((600, 600), (picture.Width, picture.Height));
        using var frame = new PlotFrame(600, 600, new PlotAxis(0, 1), new PlotAxis(0, 1));
        var at = frame.Map(0.5, 0.75);
        Assert.AreEqual(frame.Area.MidX, at.X, 1e-3); // single precision of a number of hundreds
        Assert.AreEqual(frame.Area.Top + frame.Area.Height / 4, at.Y, 1e-3);
        var pixel = picture.GetPixel((int)at.X, (int)at.Y);
        Assert.IsTrue(pixel.Red > pixel.Blue + 60, $"the student's orange was expected, found {pixel}");
    }

    [TestMethod]
    public void PointsOutsideOrNotFiniteAreCountedInTheLegend()
    {
        var inside = new SampleSet([2], [0, 0, 0.5f, 0.5f]);
        byte[] Draw(params float[] student) =>
            new ScatterPlot("t", inside, new SampleSet([2], student)) { Range = new PlotRange(-1, 1, -1, 1) }.ToPng();

        // Points that are not drawn change nothing but the legend: the plot below it is the same picture.
        using var two = SKBitmap.Decode(Draw(0, 0, 7, 7, float.NaN, 0));
        using var one = SKBitmap.Decode(Draw(0, 0, 9, 9, 0, float.PositiveInfinity));
        CollectionAssert.AreEqual(one.Bytes, two.Bytes);
        using var legend = SKBitmap.Decode(Draw(0, 0));
        CollectionAssert.AreNotEqual(legend.Bytes, two.Bytes);
    }

    [TestMethod]
    public void TextIsDrawnWithoutAnySystemFont()
    {
        var series = new LineSeries("a", [1, 2], [1, 2]);
        using var titled = SKBitmap.Decode(new LinePlot("Loss", [series]).ToPng());
        using var plain = SKBitmap.Decode(new LinePlot("", [series]).ToPng());
        CollectionAssert.AreNotEqual(plain.Bytes, titled.Bytes);
    }

    [TestMethod]
    public void EveryPrintableLetterAndDigitHasAGlyph()
    {
        foreach (var character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;-+=/()[]_%*<>|!?'\"#^")
        {
            Assert.IsTrue(StrokeFont.Has(character), $"no glyph for '{character}'");
        }
    }

    [TestMethod]
    public void OddSeriesAreDrawnWithoutTrouble()
    {
        foreach (var (x, y) in new (double[] X, double[] Y)[]
        {
            ([], []), ([5], [5]), ([1, 2], [0, 0]), ([0, 1], [-1, 1e-9]), ([1, 2, 3], [double.NaN, double.NaN, double.NaN]),
            ([1, 2], [1e-30, 1e30]), ([1, 2], [1e12, 1e12 + 1]),
        })
        {
            foreach (var log in new[] { false, true })
            {
                Assert.IsNotEmpty(new LinePlot("odd", [new("s", x, y)]) { LogX = log, LogY = log }.ToPng());
            }
        }
    }

    [TestMethod]
    public void UnequalSeriesAreRefused() =>
        Expect.Error<ArgumentException>(static () => new LinePlot("", [new("loss", [1], [])]).ToPng(), "'loss'");

    [TestMethod]
    public void AnAxisWithFixedEndsCutsOffWhatLiesBeyond()
    {
        using var frame = new LinePlot("", [new("a", [0, 1], [0.5, 1000])]) { MinY = 0, MaxY = 1 }.Draw();
        Assert.AreEqual(frame.Area.Top, frame.Map(0, 1).Y, 1e-3); // single precision of a number of hundreds
        using var cut = SKBitmap.Decode(frame.ToPng());
        using var without = SKBitmap.Decode(new LinePlot("", [new("a", [0, 1], [0.5, double.NaN])]) { MinY = 0, MaxY = 1, HasLegend = false }.ToPng());
        // Nothing is drawn over the margin above the axes, where the line would go on to 1000.
        for (var x = 0; x < cut.Width; x++)
            Assert.AreEqual(without.GetPixel(x, 20), cut.GetPixel(x, 20));
        Expect.Error<ArgumentException>(static () => new LinePlot("loss", []) { MinY = 2, MaxY = 2 }.ToPng(), "'loss'", "ends at 2");
    }

    [TestMethod]
    public void PanelsShareOneLegendThatNamesEveryLineOnce()
    {
        LinePlot Panel(params (string Label, int Look)[] lines) => new("p", [.. lines.Select(l => new LineSeries(l.Label, [1, 2], [1, 2]) { Look = l.Look })]);
        (int Width, int Height) Size(PanelPlot plot)
        {
            using var picture = SKBitmap.Decode(plot.ToPng());
            return (picture.Width, picture.Height);
        }
        var one = Size(new PanelPlot("t", [Panel(("a", 0))], 1));
        Assert.AreEqual(one, Size(new PanelPlot("t", [Panel(("a", 0), ("a", 0))], 1)));
        Assert.AreEqual((2 * one.Width, one.Height), Size(new PanelPlot("t", [Panel(("a", 0)), Panel(("a", 0), ("b", 7))], 2)));
        Assert.AreEqual((one.Width, one.Height + 400), Size(new PanelPlot("t", [Panel(("a", 0)), Panel(("a", 0))], 1)));
        // A legend too long for a row goes on in the next.
        var many = Enumerable.Range(0, 12).Select(i => ($"a method with a name {i}", i)).ToArray();
        Assert.IsGreaterThan(one.Height, Size(new PanelPlot("t", [Panel(many)], 1)).Height);
        Assert.ThrowsExactly<ArgumentException>(static () => new PanelPlot("t", [], 1).ToPng());
    }

    [TestMethod]
    public void LinesOfOneColourDifferInTheirDashes()
    {
        byte[] Draw(int look) => new LinePlot("", [new("a", [0, 1], [0, 1]) { Look = look }]) { HasLegend = false }.ToPng();
        Assert.AreEqual(PlotColors.Series(0), PlotColors.Series(6));
        CollectionAssert.AreNotEqual(Draw(0), Draw(6));
        CollectionAssert.AreNotEqual(Draw(6), Draw(12));
    }

    [TestMethod]
    public void AnEmptyRangeIsRefused()
    {
        var points = new SampleSet([2], [0, 0]);
        Assert.ThrowsExactly<ArgumentException>(() => new ScatterPlot("", points, points) { Range = new PlotRange(0, 1, 2, 2) }.ToPng());
    }

    [TestMethod]
    [DataRow(0, 1, false, "0 0.2 0.4 0.6 0.8 1")]
    [DataRow(-40, 40, false, "-40 -20 0 20 40")]
    [DataRow(0, 1_000_000, false, "0 200k 400k 600k 800k 1M")]
    [DataRow(0.3, 0.7, false, "0.3 0.4 0.5 0.6 0.7")]
    [DataRow(1, 100, true, "1 2 5 10 20 50 100")]
    [DataRow(1e-8, 1, true, "1e-8 1e-7 1e-6 1e-5 1e-4 0.001 0.01 0.1 1")]
    [DataRow(10, 20, true, "10 12 14 16 18 20")]
    public void TicksAreRoundNumbers(double min, double max, bool log, string expected) =>
        Assert.AreEqual(expected, string.Join(" ", new PlotAxis(min, max, log).Ticks().Select(PlotAxis.Label)));
}
