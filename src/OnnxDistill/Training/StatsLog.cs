using CsvHelper;
using OnnxDistill.Graph;

namespace OnnxDistill.Training;

/// <summary>A CSV log that grows row by row: <c>images_seen</c>, then named numbers. Each row is flushed, so the log can be watched and
/// survives a crash; a resumed run cuts what lies past the resumed state, so that no row is there twice. Owns its file; dispose of
/// it.</summary>
public sealed class StatsLog : IDisposable
{
    /// <summary>The first column of every log.</summary>
    public const string ImagesSeenColumn = "images_seen";

    /// <summary>The column that a run's logs have next: seconds of training so far.</summary>
    public const string SecondsColumn = "seconds";

    private static readonly CsvWriterOptions WriterOptions = new() { NewLine = "\n" };

    private readonly string[] _columns;
    private readonly HashSet<string> _known;
    private readonly CsvWriter _csv;

    private StatsLog(string[] columns, CsvWriter csv) => (_columns, _known, _csv) = (columns, [.. columns], csv);

    /// <summary>Starts a log, replacing a file of that name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">The columns after <c>images_seen</c>.</param>
    public static StatsLog Create(string path, params string[] columns)
    {
        var log = new StatsLog(columns, CsvWriter.ToFile(path, WriterOptions));
        log._csv.WriteHeader([ImagesSeenColumn, .. columns]);
        log._csv.Flush();
        return log;
    }

    /// <summary>Goes on with a log after a resume; a missing file is started anew.</summary>
    /// <param name="path">The file.</param>
    /// <param name="imagesSeen">Where the resumed run stands; rows past it, and a last row that was cut off in writing, are
    /// removed.</param>
    /// <param name="columns">The columns after <c>images_seen</c>, which must be those of the file.</param>
    /// <exception cref="ModelFileException">The file is damaged, or has other columns.</exception>
    public static StatsLog Resume(string path, long imagesSeen, params string[] columns)
    {
        if (!File.Exists(path))
        {
            return Create(path, columns);
        }

        var kept = LengthUpTo(path, imagesSeen, [ImagesSeenColumn, .. columns]);
        if (kept == 0)
        {
            return Create(path, columns);
        }

        var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        stream.SetLength(kept);
        stream.Position = kept;
        return new StatsLog(columns, CsvWriter.Create(stream, WriterOptions));
    }

    /// <summary>Adds a row and flushes it. A column that is not named stays empty; numbers that are not finite are written as NaN or
    /// Infinity.</summary>
    /// <exception cref="ArgumentException">A name is no column of this log.</exception>
    public void Append(long imagesSeen, IReadOnlyDictionary<string, double> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        var unknown = numbers.Keys.Where(name => !_known.Contains(name)).Order(StringComparer.Ordinal).ToArray();
        if (unknown.Length > 0)
        {
            throw new ArgumentException(
                $"The log has no column {string.Join(", ", unknown)}; its columns are {string.Join(", ", _columns)}.", nameof(numbers));
        }

        _csv.WriteField(imagesSeen);
        foreach (var column in _columns)
        {
            double? number = numbers.TryGetValue(column, out var value) ? value : null;
            _csv.WriteField(number);
        }

        _csv.EndRecord();
        _csv.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _csv.Dispose();

    /// <summary>How many bytes of the file are the header and the whole rows up to that image count.</summary>
    private static long LengthUpTo(string path, long imagesSeen, string[] columns)
    {
        var bytes = File.ReadAllBytes(path);
        var whole = bytes.AsMemory(0, bytes.AsSpan().LastIndexOf((byte)'\n') + 1);
        if (whole.IsEmpty)
        {
            return 0;
        }

        using var csv = CsvReader.Create(whole, new CsvReaderOptions { Separator = ',', TrackLineNumbers = true });
        if (!csv.Headers.SequenceEqual(columns))
        {
            throw new ModelFileException(
                $"'{path}' has the columns {string.Join(", ", csv.Headers)}; the resumed run logs {string.Join(", ", columns)}. " +
                "Resume with the options that the run was started with, or move the file away.");
        }

        while (csv.Read())
        {
            if (csv.FieldCount != columns.Length || !csv.TryParse(0, out long rowImages))
            {
                throw new ModelFileException(
                    $"'{path}' line {csv.LineNumber} is damaged: expected {columns.Length} cells that start with a whole number, " +
                    $"found {csv.FieldCount} that start with '{csv.GetString(0)}'. Remove that line or move the file away.");
            }

            if (rowImages > imagesSeen)
            {
                return csv.ByteOffset;
            }
        }

        return whole.Length;
    }
}
