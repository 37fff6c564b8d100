using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OnnxDistill.Cli;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Passes.OpsetConversions;
using OnnxDistill.Methods;
using OnnxDistill.Methods.Augmentation;
using OnnxDistill.Metrics;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Placement;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Tests.Methods;

namespace OnnxDistill.Tests.Repository;

/// <summary>The README's tables are written from the lists in the code.</summary>
[TestClass]
[DoNotParallelize] // with the variable set, several of these tests rewrite one file
public sealed partial class ReadmeTableTests
{
    // The first family that an operator fits is its own.
    private static readonly (string Title, Func<string, IGradientRule, bool> Fits)[] Families =
    [
        ("element by element", static (op, rule) => rule is ElementwiseRule || op is "Clip" or "Dropout"),
        ("reductions", static (op, _) => op.StartsWith("Reduce", StringComparison.Ordinal) || op.StartsWith("Cum", StringComparison.Ordinal)),
        ("normalisation, softmax", static (op, _) => op.Contains("Norm", StringComparison.Ordinal) || op.Contains("Softmax", StringComparison.Ordinal) || op is "LRN"),
        ("convolution, pooling, resampling", static (op, _) => ConvolutionLike().IsMatch(op)),
        ("products", static (op, _) => op is "MatMul" or "Gemm" or "Einsum" or "Det"),
        ("shape and indexing", static (_, _) => true),
    ];

    // What has no rule of its own: operators newer than opset 18 or gone since, and those that the converter writes out.
    private static IEnumerable<string> Lowered => ConversionList.All.Where(static c => !c.OnlyRefuses).Select(static c => c.OpType).Distinct()
        .Where(static op => !GradientRules.All.ContainsKey(op) && !GradientRules.NoGradient.Contains(op) && op is not "RoiAlign"); // only renamed a setting: no gradient

    private static readonly JsonSerializerOptions Compact = new(Recipes.RecipeJson.Options) { WriteIndented = false };

    private static string Readme => RepositoryRoot.Of("README.md");

    [TestMethod]
    public void TheTableOfOperatorsIsTheListOfRules()
    {
        var families = GradientRules.All.GroupBy(r => Array.FindIndex(Families, f => f.Fits(r.Key, r.Value))).OrderBy(g => g.Key)
            .Select(g => $"| {Families[g.Key].Title} | {Names(g.Select(r => r.Key))} |");
        GeneratedText.RequireSection(Readme, "ops", string.Create(CultureInfo.InvariantCulture, $"""
            | family | {GradientRules.All.Count} operators |
            | --- | --- |
            {string.Join('\n', families)}
            | lowered when imported | {Names(Lowered)} |
            | the same, of `com.microsoft` | {Names(MicrosoftOps.All.Select(static c => c.OpType))} |
            | nothing flows through | {Names(GradientRules.NoGradient)} |

            """).ReplaceLineEndings("\n"));
    }

    [TestMethod]
    public void TheTableOfMetricsIsTheCatalogue() => GeneratedText.RequireSection(Readme, "metrics", "| metric | what | needs |\n| --- | --- | --- |\n"
        + string.Concat(MetricCatalog.All.Select(static f => $"| `{f.Name}` | {f.Description} | {Needs(f.Create(new MetricName(f.Name, 2)).Needs)} |\n")));

    private static string Needs(MetricNeeds needs) => needs switch
    {
        _ when needs.HasFlag(MetricNeeds.Labels) => "a classifier, samples of known classes",
        _ when needs.HasFlag(MetricNeeds.Classes) => "a classifier",
        _ when needs.HasFlag(MetricNeeds.Statistics) => "reference images or their statistics, features",
        _ when needs.HasFlag(MetricNeeds.ReferenceFeatures) => "reference images, features",
        _ => "a mixture",
    };

    [TestMethod]
    public void TheTableOfMethodsIsTheListOfMethods()
    {
        var rows = DistillationMethods.Names.Select(name =>
        {
            var method = DistillationMethods.Create(name, []);
            var options = method.Options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite)
                .Select(p => $"`{JsonName(p.Name)}` {Show(p.GetValue(method.Options))}");
            return $"| `{name}` | {method.Paper} | {(method.NeedsSamples ? "yes" : "no")} | {string.Join("; ", options)} | {ToyResult(name)} | {method.Published} |\n";
        });
        GeneratedText.RequireSection(Readme, "methods",
            "| method | paper | needs real samples? | options with their defaults | on the toy | published FID, one step |\n| --- | --- | --- | --- | --- | --- |\n" + string.Concat(rows));
    }

    [TestMethod]
    public void TheTableOfPresetsIsTheListOfPresets()
    {
        var rows = NamedPresets.Names.Select(name =>
        {
            var loaded = RecipeLoader.Resolve(new JsonObject { ["preset"] = name }, RepositoryRoot.Of(), name, []);
            var (method, training) = (loaded.Recipe.Method, loaded.Recipe.Training);
            var average = training.Ema.HalfLifeImages == 0 ? "none" : Format($"{training.Ema.HalfLifeImages / 1e6:0.##} M");
            return Format($"| `{name}` | `{method}` | {training.Batch} | {training.Images / 1e6:0.##} M | {training.OptimizerOf(Roles.Student).LearningRate:0.##e-0} | {Show(training.Precision)} | {average} |\n");
        });
        GeneratedText.RequireSection(Readme, "presets",
            "| preset | method | batch | images | learning rate | precision | half-life of the average, images |\n| --- | --- | --- | --- | --- | --- | --- |\n" + string.Concat(rows));
    }

    // What the tests hold the method to on the two modes of the plane.
    private static string ToyResult(string name)
    {
        var c = MethodCases.All.First(c => c.Name == name && c.Toy.Length > 0);
        double Setting(string key) => double.Parse(c.Toy.Last(s => s.StartsWith($"training.{key}=", StringComparison.Ordinal)).Split('=')[1], CultureInfo.InvariantCulture);
        var what = name == DenoisingScoreMatching.MethodName ? "distance to the exact denoiser" : c.Measure.Metric.StartsWith("mmd", StringComparison.Ordinal) ? "MMD" : "negative mean log-density";
        return Format($"{what} <= {c.Distance} after {Setting("images") / Setting("batch"):F0} steps");
    }

    [TestMethod]
    public void TheTableOfNetworksIsTheCatalogue()
    {
        var rows = NetworkCatalog.Names.Select(name =>
        {
            var options = NetworkCatalog.Resolve(new JsonObject { ["kind"] = name }).Where(o => o.Key != "kind")
                .Select(o => $"`{o.Key}` {(o.Value is JsonValue value && value.TryGetValue<string>(out var text) ? text : o.Value!.ToJsonString(Compact))}");
            return $"| `{name}` | {NetworkCatalog.Paper(name)} | {string.Join("; ", options)} |\n";
        });
        GeneratedText.RequireSection(Readme, "networks", "| kind | network | options with their defaults |\n| --- | --- | --- |\n" + string.Concat(rows));
    }

    [TestMethod]
    public void TheTableOfGeneratorsIsTheCatalogue()
    {
        var rows = GeneratorCatalog.Names.Select(name =>
        {
            var options = GeneratorCatalog.Resolve(new JsonObject { ["kind"] = name }).Where(o => o.Key != "kind").Select(o => $"`{o.Key}` {o.Value!.ToJsonString(Compact)}");
            return $"| `{name}` | {GeneratorCatalog.Paper(name)} | {string.Join("; ", options)} |\n";
        });
        GeneratedText.RequireSection(Readme, "generators", "| kind | generator | options with their defaults |\n| --- | --- | --- |\n" + string.Concat(rows));
    }

    [TestMethod]
    public void TheTableOfVerbsIsTheCommandsOwnHelp()
    {
        var rows = CommandApp.Root().Subcommands.Select(c =>
        {
            var words = c.Arguments.Select(a => a.HelpName ?? a.Name)
                .Concat(c.Options.Where(o => o.Required).Select(o => $"{o.Aliases.FirstOrDefault() ?? o.Name} {o.HelpName}"));
            Assert.IsFalse(c.Description!.AsSpan().ContainsAny("<|"), $"Markdown would read '{c.Description}' in its own way");
            return $"| `{string.Join(" ", words.Prepend(c.Name))}` | {c.Description} |\n";
        });
        GeneratedText.RequireSection(Readme, "verbs", "| verb | does |\n| --- | --- |\n" + string.Concat(rows));
    }

    /// <summary>The section on devices names every kind of device, every precision that a recipe takes and every setting of both, with its default.</summary>
    [TestMethod]
    public void TheDevicesAndTheirSettingsAreTold()
    {
        var section = File.ReadAllText(Readme).Split("## Devices and precision")[1].Split("\n## ")[0];
        foreach (var kind in Enum.GetNames<DeviceKind>())
            StringAssert.Contains(section, $"--device {kind.ToLowerInvariant()}");
        foreach (var precision in Enum.GetValues<Precision>())
            StringAssert.Contains(section, JsonSerializer.Serialize(precision).Trim('"'));
        foreach (var name in typeof(CudaOptions).GetProperties().Where(p => p.CanWrite).Select(p => JsonName(p.Name)))
            StringAssert.Contains(section, $"`{name}`");
        foreach (var search in Enum.GetValues<ConvolutionSearch>())
            StringAssert.Contains(section, $"`{JsonSerializer.Serialize(search).Trim('"')}`");
        foreach (var property in typeof(LossScaleOptions).GetProperties().Where(p => p.CanWrite))
            StringAssert.Contains(section, $"`training.lossScale.{JsonName(property.Name)}` ({Show(property.GetValue(new LossScaleOptions()))})");
        // What the words in brackets say.
        Assert.AreEqual(new CudaOptions { Tf32 = false, Graph = false, MemoryLimit = 0, ConvolutionSearch = ConvolutionSearch.Heuristic }, new CudaOptions());
        StringAssert.Contains(PlacementReport.Source, "1.24");
    }

    [TestMethod]
    public void TheExitCodesAreThoseOfTheCommand()
    {
        var sentence = ExitCodeSentence().Match(File.ReadAllText(Readme)).Groups[1].Value;
        var told = sentence.Split(',').Select(p => p.Trim().Split(' ', 2)).ToDictionary(p => int.Parse(p[0], CultureInfo.InvariantCulture), p => p[1]);
        var codes = typeof(ExitCodes).GetFields(BindingFlags.Public | BindingFlags.Static).ToDictionary(f => (int)f.GetRawConstantValue()!, f => f.Name);
        Assert.AreEqual(string.Join(", ", codes.Keys.Order()), string.Join(", ", told.Keys.Order()));
        foreach (var (code, name) in codes)
        {
            // WrongUsage is told with the words 'wrong' and 'usage', whatever stands between them.
            foreach (var word in Word().Matches(name).Select(m => m.Value))
                StringAssert.Contains(told[code], word, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static string Names(IEnumerable<string> operators) => string.Join(", ", operators.Select(op => $"`{op}`"));

    private static string JsonName(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    private static string Show(object? value) => value switch
    {
        AugmentOptions augment => Format($"EDM's with probability {augment.Probability}"),
        NoiseLaw { Kind: NoiseLawKind.LogNormal } law => Format($"log-normal, mean {law.Mean}, deviation {law.Deviation}"),
        NoiseLaw { Kind: NoiseLawKind.KarrasUniform } law => Format($"karras-uniform, {law.Min} to {law.Max}, rho {law.Rho}, {(law.TMin > 0 ? Format($"tMin {law.TMin}, ") : "")}tMax {law.TMax}"),
        NoiseLaw { Kind: NoiseLawKind.VpUniform } law => Format($"vp-uniform, t {law.TMin} to {law.TMax}"),
        NoiseLaw law => Format($"power, {law.Min} to {law.Max}, power {law.Power}"),
        PairOptions pairs => Format($"{pairs.Count} in {pairs.Steps} steps"),
        PerceptualOptions { Model: "" } => "mean squared error",
        string text => text,
        bool flag => flag ? "true" : "false",
        Enum => JsonSerializer.Serialize(value, Compact).Trim('"'),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value, Compact),
    };

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("^Exit codes: ([^.]+)\\.", RegexOptions.Multiline)]
    private static partial Regex ExitCodeSentence();

    [GeneratedRegex("[A-Z][a-z]+")]
    private static partial Regex Word();

    [GeneratedRegex("Conv|[Pp]ool|Resize|Upsample|GridSample|AffineGrid|DepthToSpace|SpaceToDepth|Col2Im|RoiAlign")]
    private static partial Regex ConvolutionLike();
}
