using System.Text.RegularExpressions;

namespace OnnxDistill.Reporting;

/// <summary>The sources of the pages, embedded in this library.</summary>
internal static partial class WebFiles
{
    /// <summary>A file's text.</summary>
    public static string Read(string name)
    {
        using var stream = typeof(WebFiles).Assembly.GetManifestResourceStream($"{typeof(WebFiles).Namespace}.Web.{name}")
            ?? throw new InvalidOperationException($"The library holds no page source '{name}'.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Modules as one script, for a page whose modules cannot be files of their own: in order, so that what a module imports comes before it. Names at the
    /// top of these modules are therefore unique.</summary>
    public static string Bundle(params string[] modules) => string.Join('\n', modules.Select(m => Exports().Replace(Imports().Replace(Read(m), ""), "")));

    /// <summary>Writes a page: its template with every {{name}} replaced. Long texts go straight to the writer.</summary>
    public static void Fill(TextWriter writer, string template, IReadOnlyDictionary<string, string> texts)
    {
        var at = 0;
        foreach (Match place in Places().Matches(template))
        {
            writer.Write(template.AsSpan(at, place.Index - at));
            writer.Write(texts[place.Groups[1].Value]);
            at = place.Index + place.Length;
        }
        writer.Write(template.AsSpan(at));
    }

    [GeneratedRegex(@"^import .* from '\./.*';\n", RegexOptions.Multiline)]
    private static partial Regex Imports();

    [GeneratedRegex(@"^export (?=(async |)(class|function|const)\b)", RegexOptions.Multiline)]
    private static partial Regex Exports();

    [GeneratedRegex(@"\{\{([a-z]+)\}\}")]
    private static partial Regex Places();
}
