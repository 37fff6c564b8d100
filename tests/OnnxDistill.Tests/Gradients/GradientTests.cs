using System.Text.RegularExpressions;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Gradients;

/// <summary>Every rule against central differences, and what has to hold of the list of rules.</summary>
[TestClass]
public sealed partial class GradientTests
{
    public static IEnumerable<object[]> Names => GradientCases.All.Select(static c => new object[] { c.ToString() });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void GradientsEqualCentralDifferences(string name) => GradientHarness.Check(GradientCases.All.Single(c => c.ToString() == name));

    [TestMethod]
    public void EveryRuleHasACase()
    {
        var covered = GradientCases.All.Where(static c => c is { Domain: "", Opset: OnnxModel.InnerOpset }).Select(static c => c.Op).ToHashSet();
        Assert.AreEqual("", string.Join(", ", GradientRules.All.Keys.Where(op => !covered.Contains(op))));
    }

    [TestMethod]
    public void NoOperatorHasARuleAndIsListedAsWithoutGradient() =>
        Assert.AreEqual("", string.Join(", ", GradientRules.All.Keys.Where(GradientRules.NoGradient.Contains)));

    [TestMethod]
    [DataRow("GradientRules.cs")]
    [DataRow("Rules/ActivationRules.cs")]
    [DataRow("Rules/ElementwiseRules.cs")]
    [DataRow("Rules/TrigonometricRules.cs")]
    public void TheListIsSortedByOperator(string file)
    {
        var text = File.ReadAllText(Path.Combine(RepositoryRoot(), "src/OnnxDistill.Graph/Autodiff", file));
        var names = Entry().Matches(text).Select(static m => m.Groups["op"].Value).ToList();
        Assert.IsGreaterThan(5, names.Count, "the pattern finds the entries");
        Assert.AreEqual(string.Join("\n", names.Order(StringComparer.Ordinal)), string.Join("\n", names));
    }

    // A row of the table: ["Op"] = new ..., or ("Op", static ...).
    [GeneratedRegex("""^\s+(\["(?<op>\w+)"\] = |\("(?<op>\w+)", )""", RegexOptions.Multiline)]
    private static partial Regex Entry();

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OnnxDistill.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("No folder above the tests holds OnnxDistill.sln.");
    }
}
