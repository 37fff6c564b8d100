using System.CommandLine;
using System.Globalization;

namespace OnnxDistill.Cli;

/// <summary>Rows and columns of a picture of samples; with classes, each row is one class.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Samples in a row.</param>
internal readonly record struct PictureLayout(int Rows, int Columns)
{
    private const int Most = 1000;

    /// <summary>The option.</summary>
    public static Option<string?> Option() => new("--grid")
    {
        HelpName = "ROWSxCOLUMNS",
        Description = "Rows and columns of the picture, instead of -n; with classes each row is one class (10x10: classes 0 to 9). Without numbers: a row for every class, -n samples in all.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>The layout that was asked for.</summary>
    /// <param name="text">Its numbers; null or empty for a row for every class.</param>
    /// <param name="count">Samples in all where there are no numbers.</param>
    /// <param name="classes">Number of classes, 0 for none.</param>
    /// <exception cref="UsageException">The text is no such layout.</exception>
    public static PictureLayout Read(string? text, int count, int classes)
    {
        if (string.IsNullOrEmpty(text))
        {
            var rows = classes > 0 ? Math.Min(classes, count) : (int)Math.Ceiling(Math.Sqrt(count));
            return new PictureLayout(rows, (count + rows - 1) / rows);
        }
        var parts = text.Split('x');
        int Number(int i) => int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= Most ? number : 0;
        return parts.Length == 2 && Number(0) > 0 && Number(1) > 0 ? new PictureLayout(Number(0), Number(1))
            : throw new UsageException($"--grid: found '{text}', expected rows x columns, each of 1 to {Most}, for instance 10x10.");
    }

    /// <summary>Class of sample i, row by row.</summary>
    public long ClassOf(int sample, int classes) => sample / Columns % classes;
}
