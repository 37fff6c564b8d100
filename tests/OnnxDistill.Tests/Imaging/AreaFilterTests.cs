using OnnxDistill.Imaging;

namespace OnnxDistill.Tests.Imaging;

[TestClass]
public sealed class AreaFilterTests
{
    // A few roundings of numbers of that size.
    private const float Rounding = 1e-4f;

    [TestMethod]
    [DataRow(new float[] { 1, 2, 3, 4 }, new float[] { 1, 2, 3, 4 }, DisplayName = "same size")]
    [DataRow(new float[] { 1, 3, 10, 20 }, new float[] { 2, 15 }, DisplayName = "a whole factor: means")]
    [DataRow(new float[] { 30, 60, 90 }, new float[] { 40, 80 }, DisplayName = "3 to 2: (30 + 60/2) / 1.5, (60/2 + 90) / 1.5")]
    [DataRow(new float[] { 8, 0, 0, 0, 4 }, new float[] { 4.8f, 0, 2.4f }, DisplayName = "5 to 3: 8 of 5/3, nothing, 4 of 5/3")]
    [DataRow(new float[] { 10, 40 }, new float[] { 10, 25, 40 }, DisplayName = "enlarged: blended where two meet")]
    [DataRow(new float[] { 7, 9, 11 }, new float[] { 9 }, DisplayName = "to one")]
    public void ALineIsAveragedByWhatEachPixelCovers(float[] line, float[] expected)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(expected);
        Check(1, line.Length, line, 1, expected.Length, expected);
        Check(line.Length, 1, line, expected.Length, 1, expected);
    }

    [TestMethod]
    public void APlaneIsAveragedAlongBothAxes() =>
        // Corners of 3 x 3 cover one pixel whole, two by half and one by a quarter, of 2.25.
        Check(3, 3, [4, 8, 0, 8, 16, 0, 0, 0, 9], 2, 2, [(4 + 4 + 4 + 4) / 2.25f, (4 + 4) / 2.25f, (4 + 4) / 2.25f, (9 + 4) / 2.25f]);

    private static void Check(int height, int width, float[] plane, int outHeight, int outWidth, float[] expected)
    {
        var found = new float[expected.Length];
        Array.Fill(found, float.NaN);
        AreaFilter.Resize(height, width, (y, row) => plane.AsSpan(y * width, width).CopyTo(row), outHeight, outWidth, found);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], Rounding, $"at {i}");
    }
}
