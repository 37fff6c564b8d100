using System.Text.RegularExpressions;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.OpsetConversions;
using OnnxDistill.Tests.Io;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Gradients;

/// <summary>Every rule against central differences, and what has to hold of the list of rules.</summary>
[TestClass]
public sealed partial class GradientTests
{
    public static IEnumerable<object[]> Names => GradientCases.All.Select(static c => new object[] { c.ToString() });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void GradientsEqualCentralDifferences(string name) => GradientHarness.Check(GradientCases.All.Single(c => c.ToString() == name));

    public static IEnumerable<object[]> Converted =>
        GradientCases.All.Where(static c => c is { IsConverted: true, HasNoKernel: false }).Select(static c => new object[] { c.ToString() });

    /// <summary>Relative to the largest number: both sides are float32 and differ in the order of a few sums.</summary>
    [TestMethod]
    [DynamicData(nameof(Converted))]
    public void ConvertedFormsGiveTheSameNumbers(string name)
    {
        var @case = GradientCases.All.Single(c => c.ToString() == name);
        var feeds = @case.Feeds(ElementType.Float32);
        var expected = OrtRuns.Run(OnnxWriter.ToBytes(@case.Build(ElementType.Float32)), feeds);
        var converted = OpsetConverter.Convert(@case.Build(ElementType.Float32));
        Assert.IsEmpty(GraphChecker.Findings(converted));
        foreach (var (a, b) in expected.Zip(OrtRuns.Run(OnnxWriter.ToBytes(converted), feeds)))
        {
            Assert.AreEqual((a.Type, a.Shape), (b.Type, b.Shape));
            var (x, y) = (a.ToDoubles(), b.ToDoubles());
            Assert.AreEqual(0, x.Zip(y, static (p, q) => Math.Abs(p - q)).Max(), 2e-6 * x.Max(Math.Abs), $"{string.Join(" ", x.Take(12))}\n{string.Join(" ", y.Take(12))}");
        }
    }

    [TestMethod]
    public void EveryOperatorOfOnnxRuntimesOwnThatIsLoweredHasACase() => Assert.AreEqual("", string.Join(", ", MicrosoftOps.All.Select(static c => c.OpType)
        .Except(GradientCases.All.Where(static c => c.Domain == MicrosoftOps.Domain).Select(static c => c.Op))));

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
        var text = File.ReadAllText(RepositoryRoot.Of("src/OnnxDistill.Graph/Autodiff", file));
        var names = Entry().Matches(text).Select(static m => m.Groups["op"].Value).ToList();
        Assert.IsGreaterThan(5, names.Count, "the pattern finds the entries");
        Assert.AreEqual(string.Join("\n", names.Order(StringComparer.Ordinal)), string.Join("\n", names));
    }

    // A row of the table: ["Op"] = new ..., or ("Op", static ...).
    [GeneratedRegex("""^\s+(\["(?<op>\w+)"\] = |\("(?<op>\w+)", )""", RegexOptions.Multiline)]
    private static partial Regex Entry();
}
