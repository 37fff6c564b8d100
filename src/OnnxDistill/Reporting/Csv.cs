using CsvHelper;

namespace OnnxDistill.Reporting;

/// <summary>Reads CSV files that another process may be writing.</summary>
internal static class Csv
{
    /// <summary>Hands every whole record to <paramref name="record"/>.</summary>
    /// <returns>The header; null when there is no such file, or no whole header in it yet.</returns>
    public static string[]? Read(string path, Action<CsvReader, string[]> record)
    {
        if (!File.Exists(path))
            return null;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        var whole = bytes.AsMemory(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        whole = whole[..(whole.Span.LastIndexOf((byte)'\n') + 1)];
        if (whole.IsEmpty)
            return null;
        using var csv = CsvReader.Create((ReadOnlyMemory<byte>)whole, new CsvReaderOptions { Separator = ',' });
        var header = csv.Headers.ToArray();
        while (csv.Read())
            record(csv, header);
        return header;
    }
}
