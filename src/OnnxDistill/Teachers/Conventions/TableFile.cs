using OnnxDistill.Data;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>A user's own noise table: .csv with the columns alpha, sigma (x_t = alpha x0 + sigma noise) or alphas_cumprod, and t where the network is told something else
/// than the row's number; .npy of [M] alphas_cumprod or [M, 2] alpha, sigma.</summary>
internal static class TableFile
{
    /// <summary>Reads the table.</summary>
    /// <exception cref="ModelFileException">The file is missing, damaged, or has neither form.</exception>
    public static TableSchedule Read(string path) => path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase) ? FromNpy(path) : FromCsv(path);

    private static TableSchedule FromNpy(string path)
    {
        var array = NpyFile.Read(path);
        if (!array.Type.IsFloating() || array.Dims is not ([_] or [_, 2]))
            throw new ModelFileException($"'{path}' holds {array.Type}{array.Shape}, expected floats [M] (alphas_cumprod) or [M, 2] (alpha, sigma), a row a step.");
        var numbers = array.ToDoubles();
        return array.Dims.Length == 1 ? TableSchedule.OfAlphasCumprod(Products(numbers, path), $"'{path}'")
            : new TableSchedule(Enumerable.Range(0, numbers.Length / 2).Select(i => ((double)i, numbers[2 * i], numbers[(2 * i) + 1])), $"'{path}'");
    }

    private static TableSchedule FromCsv(string path)
    {
        var table = CsvTable.Read(path);
        double[] Column(string name) => [.. table.Rows.Select(row => row[table.Column(name)])];
        var times = table.Header.Contains("t") ? Column("t") : [.. Enumerable.Range(0, table.Rows.Count).Select(i => (double)i)];
        var (alphas, noises) = table.Header.Contains("alphas_cumprod") && Products(Column("alphas_cumprod"), path) is var products
            ? (Array.ConvertAll(products, Math.Sqrt), Array.ConvertAll(products, static p => Math.Sqrt(1 - p)))
            : (Column("alpha"), Column("sigma"));
        return new TableSchedule(times.Select((t, i) => (t, alphas[i], noises[i])), $"'{path}'");
    }

    private static double[] Products(double[] products, string path) => Array.TrueForAll(products, static p => p is >= 0 and <= 1) ? products
        : throw new ModelFileException($"'{path}': cumulative products of 1 - beta lie between 0 and 1, found {products.First(static p => p is not (>= 0 and <= 1))}.");
}
