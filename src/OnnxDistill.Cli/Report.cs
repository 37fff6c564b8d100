using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Parallel;
using Spectre.Console;

namespace OnnxDistill.Cli;

/// <summary>A column of a table for people.</summary>
/// <param name="Title">Its head.</param>
/// <param name="IsNumber">Numbers stand to the right.</param>
internal readonly record struct Column(string Title, bool IsNumber = false);

/// <summary>Collects what a verb has to say: text as it comes, or one JSON object at the end.</summary>
internal sealed class Report
{
    // A number that is not finite has no JSON form; as text it is at least told.
    private static readonly JsonSerializerOptions JsonOptions = new(RecipeJson.Options)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly bool _json;
    private readonly TextWriter _output;
    private readonly JsonObject _object = [];

    public Report(bool json, TextWriter output)
    {
        (_json, _output) = (json, output);
        if (!json && RankEnvironment.Count == 1 && ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected)
            Terminal = AnsiConsole.Console;
    }

    /// <summary>The terminal, or null when text goes to a file or a pipe, or nobody reads text.</summary>
    public IAnsiConsole? Terminal { get; }

    /// <summary>A line for people; nothing under --json.</summary>
    public void Line(string text = "")
    {
        if (_json)
            return;
        // Over the terminal object, so that a line lands above a live display and not inside it.
        if (Terminal is not null)
            Terminal.WriteLine(text);
        else
            _output.WriteLine(text);
    }

    /// <summary>A table for people; nothing under --json.</summary>
    public void Table(Column[] columns, IEnumerable<string[]> rows)
    {
        if (_json)
            return;
        if (Terminal is not null)
            Terminal.Write(Framed(columns, rows));
        else
            Aligned(columns, [.. rows]);
    }

    /// <summary>A member of the JSON object; nothing for people.</summary>
    public void Set(string name, object? value) => _object[name] = JsonSerializer.SerializeToNode(value, JsonOptions);

    /// <summary>The end of a verb that did its work.</summary>
    public void Print()
    {
        if (_json)
            _output.WriteLine(_object.ToJsonString(JsonOptions));
    }

    /// <summary>The end of one that did not: beside whatever it had found by then, for a failed check is worth little without its numbers.</summary>
    public void Fail(string message, int exitCode)
    {
        Set("error", message);
        Set("exitCode", exitCode);
        Print();
    }

    private static Table Framed(Column[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Rounded).BorderColor(Color.Grey);
        foreach (var column in columns)
        {
            var head = new TableColumn(new Text(column.Title, new Style(decoration: Decoration.Bold)));
            table.AddColumn(column.IsNumber ? head.RightAligned() : head);
        }
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        return table;
    }

    private void Aligned(Column[] columns, List<string[]> rows)
    {
        var widths = columns.Select((column, i) => rows.Select(row => row[i].Length).Append(column.Title.Length).Max()).ToArray();
        foreach (var row in rows.Prepend([.. columns.Select(c => c.Title)]))
            _output.WriteLine(string.Join("  ", row.Select((cell, i) => columns[i].IsNumber ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd());
    }
}
