using System.Globalization;
using OnnxDistill.Graph;

namespace OnnxDistill.Data;

/// <summary>A mixture as CSV, one row a mode: mode, weight, std, mean_0, mean_1, ...</summary>
public static class GaussianMixtureCsv
{
    /// <summary>Reads a mixture; the column <c>mode</c> may be missing, other unknown columns may not be there.</summary>
    /// <exception cref="ModelFileException">The file is missing or is not such a table.</exception>
    public static GaussianMixture Read(string path)
    {
        var table = CsvTable.Read(path);
        var weight = table.Column("weight");
        var std = table.Column("std");
        var dimension = table.Header.Count(static name => name.StartsWith("mean_", StringComparison.Ordinal));
        var means = Enumerable.Range(0, Math.Max(1, dimension)).Select(d => table.Column($"mean_{d}")).ToArray();
        var known = new HashSet<int>([weight, std, .. means, Array.IndexOf(table.Header, "mode")]);
        var unknown = table.Header.Where((_, column) => !known.Contains(column)).ToArray();
        if (unknown.Length > 0)
        {
            throw new ModelFileException(
                $"'{path}' has columns that mean nothing here: {string.Join(", ", unknown)}; " +
                "expected mode, weight, std, mean_0, mean_1, ...");
        }

        try
        {
            return new GaussianMixture(
                [.. table.Rows.Select(row => row[weight])],
                [.. table.Rows.Select(row => Array.ConvertAll(means, column => row[column]))],
                [.. table.Rows.Select(row => row[std])]);
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException($"'{path}' is no mixture: {e.Message}", e);
        }
    }

    /// <summary>Writes a mixture; every number reads back to the same bits.</summary>
    public static void Write(string path, GaussianMixture mixture)
    {
        ArgumentNullException.ThrowIfNull(mixture);
        CsvTable.Write(
            path,
            ["mode", "weight", "std", .. Enumerable.Range(0, mixture.Dimension).Select(static d => $"mean_{d}")],
            Enumerable.Range(0, mixture.ModeCount).Select(k => Cells(mixture, k)));
    }

    private static string[] Cells(GaussianMixture mixture, int mode)
    {
        double[] numbers = [mixture.Weights[mode], mixture.Stds[mode], .. mixture.Mean(mode)];
        return [mode.ToString(CultureInfo.InvariantCulture), .. numbers.Select(static n => n.ToString(CultureInfo.InvariantCulture))];
    }
}
