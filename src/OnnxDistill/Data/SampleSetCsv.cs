using System.Globalization;
using OnnxDistill.Graph;

namespace OnnxDistill.Data;

/// <summary>Points as CSV: a header, then one row a point (columns x_0, x_1, ... when written here; any names are read).</summary>
public static class SampleSetCsv
{
    /// <summary>Reads points; every column is a coordinate.</summary>
    /// <exception cref="ModelFileException">The file is missing, empty or holds something other than numbers.</exception>
    public static SampleSet Read(string path)
    {
        var table = CsvTable.Read(path);
        if (table.Rows.Count == 0)
        {
            throw new ModelFileException($"'{path}' has a header and no rows; at least one point was expected.");
        }

        var dimension = table.Header.Length;
        var data = new float[checked(table.Rows.Count * dimension)];
        for (var i = 0; i < data.Length; i++)
        {
            data[i] = (float)table.Rows[i / dimension][i % dimension];
        }

        return new SampleSet([dimension], data);
    }

    /// <summary>Writes points (samples of one dimension); every float reads back to the same bits.</summary>
    public static void Write(string path, SampleSet points)
    {
        ArgumentNullException.ThrowIfNull(points);
        if (points.Dims.Length != 1)
        {
            throw new ArgumentException(
                $"Samples of shape [{string.Join(", ", points.Dims.ToArray())}] are not points; write them as .npy.");
        }

        CsvTable.Write(
            path,
            [.. Enumerable.Range(0, points.SampleSize).Select(static d => $"x_{d}")],
            Enumerable.Range(0, points.Count).Select(i => Cells(points[i])));
    }

    private static string[] Cells(ReadOnlySpan<float> point)
    {
        var cells = new string[point.Length];
        for (var d = 0; d < cells.Length; d++)
        {
            cells[d] = point[d].ToString(CultureInfo.InvariantCulture);
        }

        return cells;
    }
}
