using System.Globalization;
using OnnxDistill.Data;
using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>Two sets of points in the plane, the target's under the student's. Points outside the range, or not finite, are not drawn but
/// counted in the legend.</summary>
/// <param name="Title">The line on top.</param>
/// <param name="Target">Points of the teacher or of real data; null for a plot of one set.</param>
/// <param name="Student">Points of the student.</param>
public sealed record ScatterPlot(string Title, SampleSet? Target, SampleSet Student)
{
    /// <summary>What the legend calls the target.</summary>
    public string TargetLabel { get; init; } = "teacher";

    /// <summary>What the legend calls the student.</summary>
    public string StudentLabel { get; init; } = "student";

    /// <summary>What is shown; null for a square about the target's points, so that pictures of one run have one scale whatever the
    /// student does.</summary>
    public PlotRange? Range { get; init; }

    /// <summary>Width and height in pixels.</summary>
    public int Size { get; init; } = 600;

    /// <summary>Draws the plot.</summary>
    /// <returns>A PNG file's bytes.</returns>
    public byte[] ToPng()
    {
        if ((Target ?? Student).SampleSize != 2 || Student.SampleSize != 2)
        {
            throw new ArgumentException(
                $"A scatter plot shows points in the plane; found {(Target ?? Student).SampleSize} and {Student.SampleSize} coordinates.");
        }

        var range = Range ?? SquareAround(Target ?? Student);
        if (!(range.MaxX > range.MinX && range.MaxY > range.MinY))
        {
            throw new ArgumentException($"The range {range} is empty; each maximum must lie above its minimum.");
        }

        using var frame = new PlotFrame(Size, Size, new PlotAxis(range.MinX, range.MaxX), new PlotAxis(range.MinY, range.MaxY));
        frame.DrawTitle(Title);
        // The target's points are larger, so that where both lie the student's stand on a visible ground.
        var legend = new List<(string, SKColor)>();
        if (Target is not null)
            legend.Add((Legend(TargetLabel, Target.Count, DrawPoints(frame, Target, range, PlotColors.Target, 1.6f)), PlotColors.Target));
        legend.Add((Legend(StudentLabel, Student.Count, DrawPoints(frame, Student, range, PlotColors.Student, 1)), PlotColors.Student));
        frame.DrawLegend([.. legend]);
        return frame.ToPng();
    }

    private static string Legend(string label, int count, int outside) =>
        string.Create(CultureInfo.InvariantCulture, $"{label}: {count}") +
        (outside == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({outside} outside)"));

    private static PlotRange SquareAround(SampleSet points)
    {
        var x = PlotAxis.Around(Coordinate(points, 0), false);
        var y = PlotAxis.Around(Coordinate(points, 1), false);
        var half = 1.05 * Math.Max(x.Max - x.Min, y.Max - y.Min) / 2;
        var (middleX, middleY) = ((x.Min + x.Max) / 2, (y.Min + y.Max) / 2);
        return new PlotRange(middleX - half, middleX + half, middleY - half, middleY + half);
    }

    private static IEnumerable<double> Coordinate(SampleSet points, int index) =>
        Enumerable.Range(0, points.Count).Select(i => (double)points.Data[2 * i + index]);

    /// <summary>Draws the points inside; the more points, the smaller and the more transparent, so that density shows. Returns how many
    /// lie outside.</summary>
    private static int DrawPoints(PlotFrame frame, SampleSet points, PlotRange range, SKColor color, float dotScale)
    {
        var inside = new List<SKPoint>(points.Count);
        for (var i = 0; i < points.Count; i++)
        {
            var (x, y) = ((double)points.Data[2 * i], (double)points.Data[2 * i + 1]);
            if (x >= range.MinX && x <= range.MaxX && y >= range.MinY && y <= range.MaxY)
            {
                inside.Add(frame.Map(x, y));
            }
        }

        var crowding = Math.Clamp(Math.Log10(points.Count / 100.0 + 1) / 2, 0, 1);
        using var paint = new SKPaint { Color = color.WithAlpha((byte)(190 - 90 * crowding)), IsAntialias = true };
        foreach (var point in inside)
        {
            frame.Canvas.DrawCircle(point, dotScale * (float)(2.4 - 1.2 * crowding), paint);
        }

        return points.Count - inside.Count;
    }
}
