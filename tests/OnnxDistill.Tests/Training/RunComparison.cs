using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace OnnxDistill.Tests.Training;

/// <summary>Two run folders that are to hold the same run.</summary>
internal static class RunComparison
{
    // What a clock said is another number every time.
    private static readonly string[] Clocks = ["seconds", "images_per_second"];

    /// <summary>The newest state (weights, moments, average, log's unfinished row), every generator, the metrics and the log are the same, bit for bit; but for what a clock said.</summary>
    public static void AssertSame(string expected, string found)
    {
        Assert.AreEqual(File.ReadAllText(Path.Combine(expected, "latest")), File.ReadAllText(Path.Combine(found, "latest")));
        var state = File.ReadAllText(Path.Combine(expected, "latest")).Trim();
        AssertSameState(Path.Combine(expected, state), Path.Combine(found, state));
        var exact = Names(expected, "generator-*.onnx");
        Assert.IsNotEmpty(exact);
        CollectionAssert.AreEqual(exact, Names(found, "generator-*.onnx"));
        foreach (var name in exact)
            CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(expected, name)), File.ReadAllBytes(Path.Combine(found, name)), $"{name} of {found}");
        CollectionAssert.AreEqual(Rows(expected), Rows(found), $"log.csv of {found}");
        CollectionAssert.AreEqual(Metrics(expected), Metrics(found), $"metrics.csv of {found}");
    }

    /// <summary>Two state files hold the same header and the same vectors, bit for bit, but for the training time and so the checksum.</summary>
    public static void AssertSameState(string expected, string found)
    {
        var ((header, vectors), (otherHeader, otherVectors)) = (State(expected), State(found));
        Assert.AreEqual(header, otherHeader, found);
        Assert.IsTrue(vectors.Span.SequenceEqual(otherVectors.Span), $"vectors of {found}");
    }

    /// <summary>The log's rows without what a clock said.</summary>
    public static string[] Rows(string folder) => Timeless(Path.Combine(folder, "log.csv"));

    /// <summary>The metrics' rows without what a clock said; none when nothing was measured.</summary>
    public static string[] Metrics(string folder) => File.Exists(Path.Combine(folder, "metrics.csv")) ? Timeless(Path.Combine(folder, "metrics.csv")) : [];

    private static string[] Timeless(string csv)
    {
        var lines = File.ReadAllLines(csv).Select(l => l.Split(',')).ToArray();
        Assert.AreEqual("seconds", lines[0][1], csv);
        bool[] kept = [.. lines[0].Select(name => !Clocks.Contains(name))];
        return [.. lines.Select(l => string.Join(',', l.Where((_, i) => kept[i])))];
    }

    // Magic (8 bytes), version, length of the header, header, vectors, checksum (32 bytes).
    private static (string Header, ReadOnlyMemory<byte> Vectors) State(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        var header = JsonNode.Parse(bytes.AsSpan(16, length))!;
        if (header["loop"] is JsonObject loop)
            Assert.IsTrue(loop.Remove("seconds"), path);
        return (header.ToJsonString(), bytes.AsMemory()[(16 + length)..^32]);
    }

    private static string[] Names(string folder, string pattern) =>
        [.. Directory.GetFiles(folder, pattern).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];
}
