namespace OnnxDistill.Tests.Training;

/// <summary>Two run folders that are to hold the same run.</summary>
internal static class RunComparison
{
    private const string Speed = "images_per_second";

    /// <summary>The newest state (weights, moments, average, log's unfinished row), every generator, the metrics and the log are the same, bit for bit; the log but for its speed.</summary>
    public static void AssertSame(string expected, string found)
    {
        Assert.AreEqual(File.ReadAllText(Path.Combine(expected, "latest")), File.ReadAllText(Path.Combine(found, "latest")));
        string[] exact = [File.ReadAllText(Path.Combine(expected, "latest")).Trim(), .. Names(expected, "generator-*.onnx"), .. Names(expected, "metrics.csv")];
        Assert.IsGreaterThan(1, exact.Length);
        foreach (var name in exact)
            CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(expected, name)), File.ReadAllBytes(Path.Combine(found, name)), $"{name} of {found}");
        CollectionAssert.AreEqual(Names(expected, "generator-*.onnx"), Names(found, "generator-*.onnx"));
        CollectionAssert.AreEqual(Rows(expected), Rows(found), $"log.csv of {found}");
    }

    /// <summary>The log's rows without their last column, which is the speed.</summary>
    public static string[] Rows(string folder)
    {
        var lines = File.ReadAllLines(Path.Combine(folder, "log.csv"));
        Assert.EndsWith($",{Speed}", lines[0]);
        return [.. lines.Select(l => l[..l.LastIndexOf(',')])];
    }

    private static string[] Names(string folder, string pattern) =>
        [.. Directory.GetFiles(folder, pattern).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];
}
