using System.Text.Json.Nodes;

namespace OnnxDistill.Reporting;

/// <summary>A run's log or metrics as far as they are written: named columns of numbers.</summary>
/// <param name="Columns">The columns' names.</param>
/// <param name="Rows">The rows; a cell that is empty or no number is NaN.</param>
internal sealed record RunTable(string[] Columns, IReadOnlyList<double[]> Rows)
{
    /// <summary>Reads a table that a run may still be writing: a last row that is cut off is left out.</summary>
    /// <returns>The table; null when there is no such file, or no header in it yet.</returns>
    public static RunTable? Read(string path)
    {
        var rows = new List<double[]>();
        var header = Csv.Read(path, (csv, columns) =>
        {
            if (csv.FieldCount == columns.Length)
                rows.Add([.. Enumerable.Range(0, columns.Length).Select(i => csv.TryParse(i, out double number) ? number : double.NaN)]);
        });
        return header is null ? null : new RunTable(header, rows);
    }

    /// <summary>The numbers of a column, from the first row to the last; none when there is no such column.</summary>
    public IReadOnlyList<double> Column(string name) => Array.IndexOf(Columns, name) is >= 0 and var at ? [.. Rows.Select(r => r[at])] : [];

    /// <summary>The number of the last row in that column; NaN when there is none.</summary>
    public double Last(string column) => Column(column) is [.., var last] ? last : double.NaN;

    /// <summary>As JSON; a number that is not finite is null.</summary>
    public JsonObject ToJson() => new()
    {
        ["columns"] = new JsonArray([.. Columns.Select(c => (JsonNode)c)]),
        ["rows"] = new JsonArray([.. Rows.Select(r => new JsonArray([.. r.Select(v => double.IsFinite(v) ? (JsonNode)v : null)]))]),
    };
}
