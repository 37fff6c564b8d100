using System.Globalization;
using CsvHelper;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Data.Images;

/// <summary>The classes of a set of images.</summary>
/// <param name="Classes">How many there are; 0 for images without.</param>
/// <param name="Of">The class of each image.</param>
/// <param name="Names">The classes' names in order, where they are not the numbers themselves.</param>
internal sealed record ImageLabels(int Classes, int[] Of, IReadOnlyList<string> Names)
{
    /// <summary>Stands for the classes that images bring along.</summary>
    public const string Own = "own";

    // ImageNet-21k has 21,841; what is far above is damage, or is no class.
    private const int MostClasses = 1 << 20;
    private const int Shown = 5;

    /// <summary>No classes.</summary>
    public static ImageLabels None { get; } = new(0, [], []);

    /// <summary>The classes of files: none, their folders', a table's, or numbers in the files' order.</summary>
    public static ImageLabels OfFiles(IReadOnlyList<string> paths, string where, string labels) => labels switch
    {
        "" => None,
        Own => OfFolders(paths, where),
        _ when Path.GetExtension(labels).Equals(".csv", StringComparison.OrdinalIgnoreCase) => OfTable(paths, where, labels),
        _ => throw new ModelFileException($"data.labels: '{labels}' is no table, expected '{Own}' for the names of folders, or a .csv with the columns file and label."),
    };

    /// <summary>The classes of an array's images, from a second file.</summary>
    public static ImageLabels OfArray(int count, string labels) => labels.Length == 0 ? None
        : OfNumbers(ImageFileStart.Of(labels).IsNpy ? Numbers(NpyFile.Read(labels), labels) : Array.ConvertAll(IdxFile.ReadLabels(labels), static b => (long)b), count, labels);

    /// <summary>Classes that are numbers already.</summary>
    public static ImageLabels OfNumbers(long[] numbers, int count, string where)
    {
        if (numbers.Length != count)
            throw new ModelFileException($"'{where}' has {numbers.Length} labels for {count} images. They have to be of the same set.");
        var wrong = Array.FindIndex(numbers, static n => n is < 0 or >= MostClasses);
        return wrong < 0 ? new ImageLabels((int)numbers.Max() + 1, Array.ConvertAll(numbers, static n => (int)n), [])
            : throw new ModelFileException($"'{where}' has the label {numbers[wrong]} at {wrong}, expected whole numbers from 0 to {MostClasses - 1}; images without classes have none at all.");
    }

    /// <summary>The whole numbers of an array of labels.</summary>
    public static long[] Numbers(TensorData array, string where) => array switch
    {
        { Dims.Length: not 1 } => throw new ModelFileException($"'{where}' has labels {array.Type}{array.Shape}, expected one whole number an image, [{(array.Dims is [var n, ..] ? n : 0)}]."),
        { Type: ElementType.UInt8 } => Array.ConvertAll(array.As<byte>().ToArray(), static b => (long)b),
        { Type: ElementType.Int32 or ElementType.Int64 } => array.ToLongs(),
        _ => throw new ModelFileException($"'{where}' has labels of type {array.Type}, expected UInt8, Int32 or Int64."),
    };

    private static ImageLabels OfFolders(IReadOnlyList<string> paths, string where)
    {
        var outside = paths.Where(static p => !p.Contains('/')).ToList();
        return outside.Count == 0 ? OfNames([.. paths.Select(static p => p[..p.IndexOf('/')])])
            : throw new ModelFileException($"'{where}' has {outside.Count} of {paths.Count} images beside the folders that name their classes ({List(outside)}). "
                + "Put each into its class's folder, give a .csv, or leave data.labels out.");
    }

    private static ImageLabels OfTable(IReadOnlyList<string> paths, string where, string table)
    {
        var labels = ReadTable(table);
        var missing = paths.Where(p => !labels.ContainsKey(p)).ToList();
        var files = paths.ToHashSet(StringComparer.Ordinal);
        var unknown = labels.Keys.Where(p => !files.Contains(p)).Order(StringComparer.Ordinal).ToList();
        if (missing.Count > 0 || unknown.Count > 0)
        {
            throw new ModelFileException($"'{table}' does not fit '{where}': {missing.Count} images without a row{(missing.Count > 0 ? $" ({List(missing)})" : "")}, "
                + $"{unknown.Count} rows without an image{(unknown.Count > 0 ? $" ({List(unknown)})" : "")}. Names are relative to the set, with / between levels.");
        }
        return OfNames([.. paths.Select(p => labels[p])]);
    }

    private static Dictionary<string, string> ReadTable(string path)
    {
        if (!File.Exists(path))
            throw new ModelFileException($"data.labels: there is no file '{path}'; a .csv with the columns file and label was expected.");
        using var csv = CsvReader.FromFile(path, new CsvReaderOptions { TrackLineNumbers = true, TrimWhitespace = true });
        var header = csv.Headers.ToArray();
        var (file, label) = (Array.IndexOf(header, "file"), Array.IndexOf(header, "label"));
        if (file < 0 || label < 0)
            throw new ModelFileException($"'{path}' has the columns {string.Join(", ", header)}; a header row with file and label was expected.");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        while (csv.Read())
        {
            if (csv.FieldCount != header.Length)
                throw new ModelFileException($"'{path}' line {csv.LineNumber} has {csv.FieldCount} cells, the header has {header.Length}.");
            var (name, text) = (ImageFileNames.Normal(csv.GetString(file)), csv.GetString(label));
            if (text.Length == 0 || !labels.TryAdd(name, text))
                throw new ModelFileException($"'{path}' line {csv.LineNumber}: '{name}' {(text.Length == 0 ? "has no label" : "has a row already")}.");
        }
        return labels;
    }

    // Names that are whole numbers stand for themselves, so that a part of a set keeps its classes; 007 is a name.
    private static ImageLabels OfNames(string[] names)
    {
        var numbers = Array.ConvertAll(names, static n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number < MostClasses && number.ToString(CultureInfo.InvariantCulture) == n ? number : -1);
        if (numbers.Min() >= 0)
            return new ImageLabels(numbers.Max() + 1, numbers, []);
        var classes = names.Distinct().Order(StringComparer.Ordinal).ToList();
        var index = classes.Select(static (name, i) => (name, i)).ToDictionary(static c => c.name, static c => c.i, StringComparer.Ordinal);
        return new ImageLabels(classes.Count, Array.ConvertAll(names, n => index[n]), classes);
    }

    private static string List(List<string> names) => string.Join(", ", names.Take(Shown)) + (names.Count > Shown ? ", ..." : "");
}
