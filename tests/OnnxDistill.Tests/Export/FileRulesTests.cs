using OnnxDistill.Export;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Students;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Export;

/// <summary>What an exported file has to keep, each rule broken by hand.</summary>
[TestClass]
public sealed class FileRulesTests
{
    private static readonly Dictionary<string, (Action<OnnxModel> Break, string Said)> Rules = new()
    {
        ["values have one name each"] = (static m => m.Graph.Nodes.Add(new Node("Exp", [m.Graph.Inputs[0]], [new Value("layer/Tanh")], name: "layer/Exp")), "'layer/Tanh' is taken"),
        ["nodes have one name each"] = (static m => m.Graph.Nodes[1].Name = m.Graph.Nodes[0].Name, "'layer/MatMul' stands twice"),
        ["nodes have a name"] = (static m => m.Graph.Nodes[1].Name = "", "has the name ''"),
        ["a number is no name of a node"] = (static m => m.Graph.Nodes[1].Name = "layer/12", "has the name 'layer/12'"),
        ["a number is no name of a value"] = (static m => m.Graph.Nodes[0].Output.Name = "417", "gives the value '417'"),
        ["a number is no name of a weight"] = (static m => m.Graph.Initializers[0].Name = "417", "initializer '417'"),
        ["nodes stand in order"] = (static m => m.Graph.Nodes.Reverse(0, 2), "before it is produced"),
        ["inputs are not in the air"] = (static m => m.Graph.Nodes.Add(new Node("Exp", [new Value("nowhere")], [new Value("layer/e")], name: "layer/Exp")), "uses 'nowhere'"),
        ["an initializer is no input"] = (static m => m.Graph.Initializers[0].Name = "z", "'z' is taken by an initializer"),
        ["domains are imported"] = (static m => m.Graph.Nodes.Add(new Node("Exp", [m.Graph.Inputs[0]], [new Value("layer/e")], name: "layer/Exp", domain: "com.example")), "domain 'com.example', which the model does not import"),
        ["the standard domain is of opset 18"] = (static m => m.Opsets[""] = 17, "opset 17"),
        ["the format is new enough"] = (static m => m.IrVersion = 7, "IR version is 7"),
        ["the format is old enough"] = (static m => m.IrVersion = 10, "IR version is 10"),
        ["outputs have a type"] = (static m => m.Graph.Outputs[0].Type = ElementType.Undefined, "output 'points' has no element type"),
        ["outputs have a shape"] = (static m => m.Graph.Outputs[0].KnownShape = null, "output 'points' has no shape"),
        ["inputs have a shape"] = (static m => m.Graph.Inputs[0].KnownShape = null, "input 'z' has no shape"),
        ["there is an output"] = (static m => m.Graph.Outputs.Clear(), "no output"),
        ["metadata have keys"] = (static m => m.Metadata[" "] = "x", "the key ' '"),
    };

    public static IEnumerable<object[]> Names => Rules.Keys.Select(k => new object[] { k });

    [TestMethod]
    public void ASoundModelKeepsAllOfThem() => Assert.AreEqual("", string.Join('\n', GraphChecker.FileFindings(Linear())));

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ABrokenRuleIsSaid(string rule)
    {
        var model = Linear();
        Rules[rule].Break(model);
        var findings = GraphChecker.FileFindings(model);
        Assert.IsTrue(findings.Any(f => f.Contains(Rules[rule].Said, StringComparison.Ordinal)), string.Join('\n', findings));
    }

    [TestMethod]
    public void AnExportThatBreaksARuleIsNotWritten()
    {
        var student = new Generator(Linear());
        var weights = student.AtAnyBatch().Parameters.ToDictionary(p => p.Name, p => p.Constant!); // parameters have values
        OnnxModel Build()
        {
            var model = Linear();
            model.Metadata[" "] = "x";
            model.IrVersion = 12;
            return model;
        }
        Expect.Error<CheckFailedException>(() => GeneratorExport.Run(new ExportSource(Build, student, weights), new ExportOptions()), "rules of ONNX", "IR version is 12", "the key ' '", "Nothing was written");
    }

    [TestMethod]
    public void NamesThatSayNothingAreReplacedByThePathAndTheOperator()
    {
        var model = Linear();
        (model.Graph.Nodes[0].Name, model.Graph.Nodes[0].Output.Name, model.Graph.Nodes[1].Name) = ("layer/3", "layer/417", "layer/3");
        Assert.AreEqual(3, new ReadableNames().Run(model.Graph));
        Assert.AreEqual("", string.Join('\n', GraphChecker.FileFindings(model)));
        Assert.AreEqual("layer/MatMul", model.Graph.Nodes[0].Name);
        Assert.AreEqual("layer/MatMul:0", model.Graph.Nodes[0].Output.Name);
        Assert.AreEqual("layer/Tanh_1", model.Graph.Nodes[1].Name); // the value has that name already
        Assert.AreEqual(0, new ReadableNames().Run(model.Graph));
    }

    private static OnnxModel Linear()
    {
        var b = new GraphBuilder();
        var z = b.Input("z", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        using (b.Scope("layer"))
            b.Output("points", b.Mul(b.Tanh(b.MatMul(z, b.Initializer("layer.weight", TensorData.Of([1f, 2, 3, 4], 2, 2)))), 2));
        var model = new OnnxModel(b.Graph);
        model.Metadata["onnxdistill.kind"] = "generator";
        model.Metadata["onnxdistill.data"] = "points";
        return model;
    }
}
