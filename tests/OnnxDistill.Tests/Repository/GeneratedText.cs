namespace OnnxDistill.Tests.Repository;

/// <summary>Text in the repository that is written from code: compared by default, rewritten when the environment variable says so.</summary>
internal static class GeneratedText
{
    /// <summary>Set to 1, the tests write what they otherwise compare.</summary>
    public const string UpdateVariable = "ONNXDISTILL_UPDATE_README";

    private static readonly string Hint = $"the text lags behind the code: run the tests of the namespace Repository once with {UpdateVariable}=1 and commit what changes";

    /// <summary>A file that is generated as a whole.</summary>
    public static void RequireFile(string path, string expected) => Require(path, expected);

    /// <summary>What stands between two markers of a file, an HTML comment each.</summary>
    public static void RequireSection(string path, string name, string expected)
    {
        var (begin, end) = ($"<!-- {name}:begin -->\n", $"<!-- {name}:end -->");
        var text = Read(path);
        var from = text.IndexOf(begin, StringComparison.Ordinal);
        var to = text.IndexOf(end, StringComparison.Ordinal);
        Assert.IsTrue(from >= 0 && to > from, $"'{path}' lacks the markers of '{name}'");
        Require(path, $"{text[..(from + begin.Length)]}{expected}{text[to..]}");
    }

    private static void Require(string path, string expected)
    {
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
            File.WriteAllText(path, expected);
        Assert.AreEqual(expected, File.Exists(path) ? Read(path) : "", Hint);
    }

    private static string Read(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");
}
