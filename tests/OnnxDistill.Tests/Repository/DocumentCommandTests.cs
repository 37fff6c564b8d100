using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using OnnxDistill.Cli;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers.Conventions;

namespace OnnxDistill.Tests.Repository;

/// <summary>The command lines and recipes of the documents are what the programs understand.</summary>
[TestClass]
public sealed partial class DocumentCommandTests
{
    private const string ExportDocument = "export_teacher.md";

    public static IEnumerable<object[]> Lines => new[] { ExportDocument, "README.md", "models/README.md" }
        .SelectMany(static document => Commands(document, "onnxdistill")).Select(static line => new object[] { line });

    public static IEnumerable<object[]> ScriptLines => Commands(ExportDocument, "python3 tools/export_teacher.py").Select(static line => new object[] { line });

    [TestMethod]
    [DynamicData(nameof(Lines))]
    public void ALineForThisProgramIsUnderstood(string line)
    {
        var parsed = CommandApp.Root().Parse([.. CommandLineParser.SplitCommandLine(line).Skip(1)]);
        Assert.IsEmpty(parsed.Errors, $"'{line}': {string.Join(" ", parsed.Errors)}");
        if (parsed.GetResult("--schedule") is OptionResult { Tokens: [var schedule] })
            Assert.IsNotNull(NoiseSchedules.Parse(schedule.Value, sigmaData: 0.5).Schedule);
    }

    [TestMethod]
    public void EveryRecipeOfTheReadmeIsUnderstood()
    {
        var recipes = CodeBlock().Matches(File.ReadAllText(RepositoryRoot.Of("README.md")).ReplaceLineEndings("\n")).Where(static m => m.Groups["language"].Value == "json").ToList();
        Assert.IsGreaterThan(1, recipes.Count, "the pattern finds the README's recipes");
        foreach (var recipe in recipes)
            Assert.IsNotNull(RecipeLoader.Resolve(RecipeLoader.Parse(recipe.Groups["lines"].Value, "the README's recipe"), RepositoryRoot.Of(), "readme", []));
    }

    [TestMethod]
    [DynamicData(nameof(ScriptLines))]
    public void ALineForTheScriptNamesItsOptions(string line)
    {
        var script = File.ReadAllText(RepositoryRoot.Of("tools", "export_teacher.py"));
        foreach (Match option in LongOption().Matches(line))
            Assert.Contains($"\"{option.Value}\"", script, $"'{line}' has an option that tools/export_teacher.py does not list");
    }

    [TestMethod]
    public void EveryConventionThatTheScriptDeducesIsAConventionOfTheImport()
    {
        var script = File.ReadAllText(RepositoryRoot.Of("tools", "export_teacher.py"));
        var predictions = Deduced(PredictionOf().Matches(script));
        var schedules = Deduced(ScheduleOf().Matches(script));
        Assert.IsGreaterThan(4, predictions.Count, "the pattern finds the script's predictions");
        Assert.IsGreaterThan(1, schedules.Count, "the pattern finds the script's schedules");
        CollectionAssert.IsSubsetOf(predictions, Predictions.All.Select(static p => p.Name).ToList());
        CollectionAssert.IsSubsetOf(schedules, NoiseSchedules.All.Select(static s => s.Name).ToList());
    }

    private static List<string> Deduced(MatchCollection matches) => [.. matches.Select(static m => m.Groups["name"].Value).Distinct().Order()];

    // Lines of code blocks, continued ones joined.
    private static List<string> Commands(string document, string program)
    {
        var text = File.ReadAllText(RepositoryRoot.Of(document)).ReplaceLineEndings("\n").Replace("\\\n", " ", StringComparison.Ordinal);
        var found = CodeBlock().Matches(text).SelectMany(static block => block.Groups["lines"].Value.Split('\n')).Select(static line => line.Trim())
            .Where(line => line.StartsWith(program + " ", StringComparison.Ordinal)).ToList();
        return found.Count > 0 ? found : throw new InvalidDataException($"{document} has no line of code that begins with '{program}'.");
    }

    [GeneratedRegex("^```(?<language>[a-z]*)\n(?<lines>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("--[a-z][a-z-]+")]
    private static partial Regex LongOption();

    [GeneratedRegex("(\"prediction\": |\"(epsilon|v_prediction|sample)\": )\"(?<name>[a-z0-9-]+)\"")]
    private static partial Regex PredictionOf();

    [GeneratedRegex("(schedule\\(|\"(linear|scaled_linear|squaredcos_cap_v2)\": )\"(?<name>[a-z-]+)")]
    private static partial Regex ScheduleOf();
}
