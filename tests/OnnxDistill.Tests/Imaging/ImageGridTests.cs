using OnnxDistill.Data;
using OnnxDistill.Imaging;
using OnnxDistill.Tests.Data;
using SkiaSharp;

namespace OnnxDistill.Tests.Imaging;

[TestClass]
public sealed class ImageGridTests
{
    [TestMethod]
    public void GreyPixelsStandWhereTheyBelong()
    {
        // Three images of 1 x 2 pixels, two a row, enlarged twice, one pixel of padding.
        var grid = new ImageGrid(new SampleSet([1, 1, 2], [-1, 1, 0, -2, 2, 0.5f])) { Columns = 2, Scale = 2, Padding = 1 };
        using var picture = SKBitmap.Decode(grid.ToPng());
        Assert.AreEqual(2 * 5 + 1, picture.Width);
        Assert.AreEqual(2 * 3 + 1, picture.Height);
        AssertGrey(255, picture, 0, 0);
        AssertGrey(0, picture, 1, 1);
        AssertGrey(0, picture, 2, 2);
        AssertGrey(255, picture, 3, 1);
        AssertGrey(128, picture, 6, 2);
        AssertGrey(0, picture, 8, 1);
        AssertGrey(255, picture, 1, 4);
        AssertGrey(191, picture, 4, 5);
        AssertGrey(255, picture, 8, 5);
    }

    [TestMethod]
    public void ColourPlanesBecomeRedGreenAndBlue()
    {
        using var picture = SKBitmap.Decode(new ImageGrid(new SampleSet([3, 1, 1], [1, -1, 0])) { Padding = 0 }.ToPng());
        Assert.AreEqual(new SKColor(255, 0, 128), picture.GetPixel(0, 0));
    }

    [TestMethod]
    public void WhatIsNotFiniteIsMagenta()
    {
        using var picture = SKBitmap.Decode(new ImageGrid(new SampleSet([1, 1, 2], [0, float.NaN])) { Padding = 0 }.ToPng());
        Assert.AreEqual(new SKColor(255, 0, 255), picture.GetPixel(1, 0));
    }

    [TestMethod]
    public void RowsLimitHowManyAreDrawn()
    {
        var ten = new SampleSet([1, 2, 2], new float[40]);
        using var picture = SKBitmap.Decode(new ImageGrid(ten) { Columns = 5, Rows = 1, Padding = 0 }.ToPng());
        Assert.AreEqual((10, 2), (picture.Width, picture.Height));
        using var square = SKBitmap.Decode(new ImageGrid(new SampleSet([1, 2, 2], new float[36])) { Padding = 0 }.ToPng());
        Assert.AreEqual((6, 6), (square.Width, square.Height));
    }

    [TestMethod]
    public void PointsAreNoImages() =>
        Expect.Error<ArgumentException>(static () => new ImageGrid(new SampleSet([2], new float[4])).ToPng(), "[2]");

    private static void AssertGrey(byte expected, SKBitmap picture, int x, int y) =>
        Assert.AreEqual(new SKColor(expected, expected, expected), picture.GetPixel(x, y), $"pixel {x}, {y}");
}
