using System.Globalization;
using CsvHelper;
using OnnxDistill.Graph;

namespace OnnxDistill.Data;

/// <summary>A headed CSV file of numbers, the form of all tables here; errors name the file and the row.</summary>
internal sealed record CsvTable(string Path, string[] Header, IReadOnlyList<double[]> Rows)
{
    /// <summary>Reads a table whose every cell is a number.</summary>
    public static CsvTable Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new ModelFileException($"There is no file '{path}'; a CSV file with a header row was expected.");
        }

        using var csv = CsvReader.FromFile(path, new CsvReaderOptions { TrackLineNumbers = true, TrimWhitespace = true });
        var header = csv.Headers.ToArray();
        if (header.Length == 0)
        {
            throw new ModelFileException($"'{path}' is empty; a CSV file with a header row was expected.");
        }

        if (header.All(static name => double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out _)))
        {
            throw new ModelFileException(
                $"'{path}' starts with numbers ({string.Join(", ", header)}); put a header row with column names above them.");
        }

        var rows = new List<double[]>();
        while (csv.Read())
        {
            rows.Add(ParseRow(csv, path, header));
        }

        return new CsvTable(path, header, rows);
    }

    /// <summary>Writes a table, record by record; cells are written as they are.</summary>
    public static void Write(string path, string[] header, IEnumerable<string[]> rows)
    {
        using var csv = CsvWriter.ToFile(path, new CsvWriterOptions { NewLine = "\n" });
        csv.WriteHeader(header);
        foreach (var row in rows)
        {
            csv.WriteRecord(row);
        }
    }

    /// <summary>Where a column stands; an error that lists the columns when it is missing.</summary>
    public int Column(string name)
    {
        var index = Array.IndexOf(Header, name);
        return index >= 0
            ? index
            : throw new ModelFileException($"'{Path}' has no column '{name}'; its columns are {string.Join(", ", Header)}.");
    }

    private static double[] ParseRow(CsvReader csv, string path, string[] header)
    {
        if (csv.FieldCount != header.Length)
        {
            throw new ModelFileException($"'{path}' line {csv.LineNumber} has {csv.FieldCount} cells, the header has {header.Length}.");
        }

        var row = new double[header.Length];
        for (var i = 0; i < row.Length; i++)
        {
            if (!csv.TryParse(i, out row[i]))
            {
                throw new ModelFileException(
                    $"'{path}' line {csv.LineNumber}, column '{header[i]}': '{csv.GetString(i)}' is not a number (1.5 or 2e-3 is).");
            }
        }

        return row;
    }
}
