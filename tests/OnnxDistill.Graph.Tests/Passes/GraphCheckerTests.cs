using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Tests.Io;

namespace OnnxDistill.Graph.Tests.Passes;

[TestClass]
public sealed class GraphCheckerTests
{
    [TestMethod]
    public void ASoundModelHasNoFindings()
    {
        var model = Models.Everything();
        CollectionAssert.AreEqual(Array.Empty<string>(), GraphChecker.Findings(model, "example.test").ToArray());
        GraphChecker.Check(model, "example.test");
    }

    [TestMethod]
    public void ModelsAtHandAreSoundButForTheirOpset()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(SharedData.Folder(), "onnx-light"), "*.onnx"))
        {
            var model = OnnxDistill.Graph.Io.OnnxReader.Read(file);
            StringAssert.Contains(GraphChecker.Findings(model).Single(), $"opset {model.Opset}");
        }
    }

    [TestMethod]
    public void ForeignDomainsAreFoundAtImportAndNode()
    {
        var findings = GraphChecker.Findings(Models.Everything());
        Assert.HasCount(2, findings);
        Assert.IsTrue(findings.All(static f => f.Contains("'example.test'")));
    }

    [TestMethod]
    [DataRow("Upsample")]
    [DataRow("Gelu")]
    [DataRow("NoSuchOperator")]
    public void OperatorsThatOpset18LacksAreFound(string opType) => AssertFinding(Change(g => g.Nodes.Add(Node(opType, g.Inputs[0], "z"))), opType);

    [TestMethod]
    public void TheMarkerDomainHoldsTheMarkerOnly()
    {
        var model = Models.Everything();
        model.Graph.Nodes.Add(new Node("StopGradient", [model.Graph.Inputs[0]], [new Value("z")], domain: "onnxdistill"));
        Assert.IsEmpty(GraphChecker.Findings(model, "example.test"));
        model.Graph.Nodes.Add(new Node("Other", [model.Graph.Inputs[0]], [new Value("zz")], domain: "onnxdistill"));
        AssertFinding(model, "Other");
    }

    [TestMethod]
    public void ValuesAssignedTwiceAreFound() => AssertFinding(Change(g => g.Nodes.Add(Node("Exp", g.Inputs[0], "sum"))), "'sum' is taken");

    [TestMethod]
    public void UseBeforeProductionIsFound() => AssertFinding(Change(g => g.Nodes.Reverse(0, 3)), "before it is produced");

    [TestMethod]
    public void UndefinedValuesAreFound() => AssertFinding(Change(g => g.Nodes.Add(Node("Exp", new Value("nowhere"), "z"))), "uses 'nowhere'");

    [TestMethod]
    public void UndefinedOutputsAreFound() => AssertFinding(Change(g => g.Outputs.Add(new Value("nowhere"))), "outputs uses 'nowhere'");

    [TestMethod]
    public void TwoObjectsOfOneNameAreFound() => AssertFinding(Change(g => g.Nodes.Add(Node("Exp", new Value("x"), "z"))), "another object");

    [TestMethod]
    public void InitializersWithoutOrWithOtherDataAreFound()
    {
        AssertFinding(Change(g => g.Initializers[0].Constant = null), "has no data");
        AssertFinding(Change(g => g.Initializers[0].KnownShape = Shape.Of(6)), "[6] but holds Float32[2, 3]");
    }

    [TestMethod]
    public void ValuesMovedToAnotherNodeAreFound() =>
        AssertFinding(Change(g => _ = new Node("Exp", [g.Inputs[0]], [g.Nodes[0].Output])), "as its producer");

    [TestMethod]
    public void SubgraphsAreCheckedAndSeeOuterValuesByName()
    {
        var branch = new OnnxGraph { Name = "branch" };
        var result = new Value("result");
        branch.Outputs.Add(result);
        branch.Nodes.Add(new Node("Add", [new Value("product"), new Value("later")], [result]));
        var model = Change(g =>
        {
            g.Nodes.Add(new Node("If", [g.Inputs[0]], [new Value("z")], new AttributeMap(("then_branch", branch))));
            g.Nodes.Add(Node("Exp", g.Inputs[0], "later"));
        });
        var finding = GraphChecker.Findings(model, "example.test").Single();
        StringAssert.Contains(finding, "subgraph 'branch'");
        StringAssert.Contains(finding, "'later'");
    }

    [TestMethod]
    public void CheckThrowsWithAllFindings()
    {
        var model = Change(g => g.Nodes.AddRange([Node("Exp", new Value("one"), "z"), Node("Exp", new Value("two"), "zz")]));
        var message = Assert.ThrowsExactly<InvalidOperationException>(() => GraphChecker.Check(model, "example.test")).Message;
        StringAssert.Contains(message, "'one'");
        StringAssert.Contains(message, "'two'");
    }

    private static Node Node(string opType, Value input, string output) => new(opType, [input], [new Value(output)]);

    private static OnnxModel Change(Action<OnnxGraph> change)
    {
        var model = Models.Everything();
        change(model.Graph);
        return model;
    }

    private static void AssertFinding(OnnxModel model, string said) =>
        Assert.IsTrue(GraphChecker.Findings(model, "example.test").Any(f => f.Contains(said, StringComparison.Ordinal)),
            $"No finding says '{said}': {string.Join("; ", GraphChecker.Findings(model, "example.test"))}");
}
