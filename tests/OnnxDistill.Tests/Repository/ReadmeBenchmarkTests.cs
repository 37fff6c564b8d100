using System.Text.RegularExpressions;

namespace OnnxDistill.Tests.Repository;

/// <summary>The README's table of speeds is read from the committed pages of results.</summary>
[TestClass]
[DoNotParallelize] // with the variable set, several tests rewrite one file
public sealed partial class ReadmeBenchmarkTests
{
    private static readonly string[] Speeds = ["ms an iteration", "images a second"];

    [TestMethod]
    public void TheTableOfSpeedsIsTheCommittedResults()
    {
        var root = RepositoryRoot.Of("tools", "OnnxDistill.Bench", "results");
        var pages = Directory.GetFiles(root, "*.md", SearchOption.AllDirectories).Select(p => Path.GetRelativePath(root, p).Replace('\\', '/')).Order(StringComparer.Ordinal);
        GeneratedText.RequireSection(RepositoryRoot.Of("README.md"), "speeds", "| workload | machine | unit | OnnxDistill | libtorch | time ratio | memory, MB |\n"
            + "| --- | --- | --- | --- | --- | --- | --- |\n" + string.Concat(pages.Select(page => Row(page, Cells(File.ReadAllText(Path.Combine(root, page)))))));
    }

    [TestMethod]
    public void APageIsReadByItsFirstTable()
    {
        var cells = Cells("text\n\n| | OnnxDistill | libtorch | ratio |\n| --- | --- | --- | --- |\n| images a second | 5 | 4 | **0.80** |\n\n| 1 | 2 | 3 | 4 |\n");
        Assert.AreEqual("5,4,0.80", string.Join(',', cells["images a second"]));
        Assert.DoesNotContain("1", cells.Keys);
    }

    private static string Row(string page, Dictionary<string, string[]> cells)
    {
        var unit = Speeds.Single(cells.ContainsKey);
        var memory = cells["peak memory of the process, MB"];
        var (machine, workload) = (Path.GetDirectoryName(page), Path.GetFileNameWithoutExtension(page));
        return $"| [{workload}](tools/OnnxDistill.Bench/results/{page}) | {machine} | {unit} | {cells[unit][0]} | {cells[unit][1]} | {cells[unit][2]} | {memory[0]} : {memory[1]} |\n";
    }

    private static Dictionary<string, string[]> Cells(string page) => FirstTable().Match(page.ReplaceLineEndings("\n")).Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Trim('|').Split('|').Select(c => c.Trim(' ', '*')).ToArray()).Skip(2).ToDictionary(c => c[0], c => c[1..]);

    [GeneratedRegex(@"(^\|.*\n)+", RegexOptions.Multiline)]
    private static partial Regex FirstTable();
}
