using OnnxDistill.Data;

namespace OnnxDistill.Imaging;

/// <summary>The picture that suits a set of samples: a scatter plot for points in the plane, a grid for images.</summary>
public static class SamplePicture
{
    /// <summary>Smallest width that a grid is enlarged to, in pixels.</summary>
    private const int GridWidth = 640;

    /// <summary>Draws it as a PNG.</summary>
    /// <param name="samples">Points of two coordinates, or images in [-1, 1].</param>
    /// <param name="reference">Points of the target, for scatter plots.</param>
    /// <param name="title">The line on top of a scatter plot.</param>
    /// <param name="columns">Images side by side; null for about as many as there are rows.</param>
    /// <exception cref="ArgumentException">The samples are neither.</exception>
    public static byte[] Draw(SampleSet samples, SampleSet? reference, string title, int? columns = null)
    {
        if (samples.Dims.Length == 3)
        {
            var across = columns ?? (int)Math.Ceiling(Math.Sqrt(samples.Count));
            return new ImageGrid(samples) { Columns = across, Scale = Math.Max(1, GridWidth / (across * samples.Dims[2])) }.ToPng();
        }
        if (columns is not null)
            throw new ArgumentException($"Rows and columns are for images, found samples of shape [{string.Join(", ", samples.Dims.ToArray())}].");
        if (samples.Dims is not [2])
            throw new ArgumentException($"Only images and points in the plane can be drawn, found samples of shape [{string.Join(", ", samples.Dims.ToArray())}].");
        return new ScatterPlot(title, reference?.Take(Math.Min(reference.Count, samples.Count)), samples)
        {
            TargetLabel = "real data",
            StudentLabel = reference is null ? "samples" : "student",
        }.ToPng();
    }
}
