using OnnxDistill.Imaging;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Data.Images;

namespace OnnxDistill.Tests.Imaging;

[TestClass]
public sealed class EncodedImageTests
{
    // JPEG of the best quality on flat blocks.
    private const float Lossy = 3;

    /// <summary>Two rows of three 8 x 8 blocks, 10 50 90 over 130 170 210, as each of EXIF's orientations shows them.</summary>
    [TestMethod]
    [DataRow(1, 3, new[] { 10, 50, 90, 130, 170, 210 })]
    [DataRow(2, 3, new[] { 90, 50, 10, 210, 170, 130 })]
    [DataRow(3, 3, new[] { 210, 170, 130, 90, 50, 10 })]
    [DataRow(4, 3, new[] { 130, 170, 210, 10, 50, 90 })]
    [DataRow(5, 2, new[] { 10, 130, 50, 170, 90, 210 })]
    [DataRow(6, 2, new[] { 130, 10, 170, 50, 210, 90 })]
    [DataRow(7, 2, new[] { 210, 90, 170, 50, 130, 10 })]
    [DataRow(8, 2, new[] { 90, 210, 50, 170, 10, 130 })]
    public void ThePictureIsTurnedAsItsExifEntrySays(int orientation, int columns, int[] blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        int[] stored = [10, 50, 90, 130, 170, 210];
        var greys = Enumerable.Range(0, 24 * 16).Select(i => (byte)stored[(i / 24 / 8 * 3) + (i % 24 / 8)]).ToArray();
        var image = EncodedImage.Decode(TestPictures.Jpeg(orientation, 24, greys));
        Assert.AreEqual((8 * columns, 8 * (6 / columns)), (image.Width, image.Height));
        Assert.IsTrue(image.IsGrey);
        for (var block = 0; block < 6; block++)
            Assert.AreEqual(blocks[block], At(image, 0, (block % columns * 8) + 3, (block / columns * 8) + 4), Lossy, $"block {block}");
    }

    [TestMethod]
    public void TransparentPixelsShowTheBackground()
    {
        var image = EncodedImage.Decode(TestPictures.ColourPng(2, 200, 100, 0, 255, 200, 100, 50, 51));
        Assert.IsFalse(image.IsGrey);
        Assert.AreEqual((200f, 100f, 0f), (At(image, 0, 0, 0), At(image, 1, 0, 0), At(image, 2, 0, 0)));
        // A fifth of 200 over four fifths of white or black; one rounding.
        Assert.AreEqual(244, At(image, 0, 1, 0), 1e-4f);
        Assert.AreEqual(40, At(image, 0, 1, 0, background: 0), 1e-4f);
    }

    [TestMethod]
    public void GreyOfColoursIsTheirLuma()
    {
        var image = EncodedImage.Decode(TestPictures.ColourPng(3, 255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255));
        Assert.AreEqual(76.245f, At(image, -1, 0, 0), 1e-4f);
        Assert.AreEqual(149.685f, At(image, -1, 1, 0), 1e-4f);
        Assert.AreEqual(29.07f, At(image, -1, 2, 0), 1e-4f);
    }

    [TestMethod]
    public void WhatCannotBeDecodedSaysWhy()
    {
        var png = TestPictures.GreyPng(64, [.. Enumerable.Range(0, 4096).Select(static i => (byte)(i * i >> 2))]);
        Expect.Error<InvalidDataException>(static () => EncodedImage.Decode([]), "empty");
        Expect.Error<InvalidDataException>(static () => EncodedImage.Decode([.. "no picture"u8]), "no image that can be decoded");
        Expect.Error<InvalidDataException>(() => EncodedImage.Decode(png[..(png.Length / 2)]), "cut off");
        Expect.Error<InvalidDataException>(static () => EncodedImage.Decode(TestPictures.PngThatClaims(60000, 50000)), "60000 x 50000 pixels", "at most 67,108,864");
    }

    private static float At(EncodedImage image, int channel, int x, int y, float background = 255)
    {
        Span<float> row = stackalloc float[1];
        image.Row(channel, x, y, background, row);
        return row[0];
    }
}
