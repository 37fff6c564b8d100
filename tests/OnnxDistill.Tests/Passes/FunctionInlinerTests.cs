using OnnxDistill.Graph;
using OnnxDistill.Graph.Importing;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Verification;
using static OnnxDistill.Tests.Passes.PassModels;

namespace OnnxDistill.Tests.Passes;

/// <summary>Functions as PyTorch's exporter writes them: nested, with attributes of the caller, several outputs, inputs left out.</summary>
[TestClass]
public sealed class FunctionInlinerTests
{
    [TestMethod]
    public void NestedCallsBecomeTheirBodies()
    {
        var model = Calls();
        var inlined = FunctionInliner.Inline(model);
        Assert.IsEmpty(inlined.Functions);
        CollectionAssert.AreEqual(new[] { "" }, inlined.Opsets.Keys.ToArray());
        Assert.AreEqual("LeakyRelu Mul Softmax LeakyRelu Mul Softmax Add", Operators(inlined));
        CollectionAssert.AreEqual(new[] { 0.3f, 0.01f }, inlined.Graph.Nodes.Where(static n => n.OpType == "LeakyRelu").Select(static n => n.Attributes.Float("alpha", 0)).ToArray());
        // The second call does not give the axis, and the function has no default: the operator's own holds.
        CollectionAssert.AreEqual(new[] { 0L, -1 }, inlined.Graph.Nodes.Where(static n => n.OpType == "Softmax").Select(static n => n.Attributes.Int("axis", -1)).ToArray());
        Assert.IsEmpty(GraphChecker.Findings(inlined));
        AssertSame(model, inlined);
    }

    /// <summary>ONNX Runtime 1.31.1 does not take a function whose output is its input; the standard does not forbid it.</summary>
    [TestMethod]
    public void AnOutputMayBeAnInput()
    {
        var model = Calls();
        model.Functions[1].Body.Outputs[1] = model.Functions[1].Body.Inputs[0];
        var inlined = FunctionInliner.Inline(model);
        Assert.IsEmpty(GraphChecker.Findings(inlined));
        AssertSame(Calls(), inlined);
    }

    [TestMethod]
    public void TheGivenModelIsNotChanged()
    {
        var model = Calls();
        var before = OnnxWriter.ToBytes(model);
        OpsetConverter.Convert(model);
        RawCoverage.Of(model);
        CollectionAssert.AreEqual(before, OnnxWriter.ToBytes(model));
    }

    [TestMethod]
    public void CoverageAndGradientsSeeIntoFunctions()
    {
        var report = RawCoverage.Of(Calls());
        Assert.IsTrue(report.IsComplete, report.IsComplete ? "" : report.Describe());
        Assert.AreEqual(2, report.Operators["Softmax"]);
        Assert.IsTrue(GradientCheck.Run(Calls()).Passed);
    }

    [TestMethod]
    public void WhatHasNoRuleInsideAFunctionIsNamedByItsCall()
    {
        var model = Calls();
        var body = model.Functions[0].Body;
        var bits = new Value("bits");
        body.Nodes.Insert(0, new Node("Unique", [body.Inputs[0]], [bits], name: "unique"));
        StringAssert.Contains(RawCoverage.Of(model).Describe(), "Unique: no gradient rule; 2 node(s): 'first/inner/unique', 'second/inner/unique'");
    }

    [TestMethod]
    public void FunctionsInsideBranchesAreInlined()
    {
        var model = Calls();
        var (r, t) = (new Value("r"), new Value("t"));
        var then = PassModels.GraphOf("then", [], [new Node("Block", [new Value("x"), null], [r], domain: "pkg.torch", name: "inside")], [r]);
        var otherwise = PassModels.GraphOf("else", [], [new Node("Neg", [new Value("x")], [t])], [t]);
        var (condition, z) = (new Value("condition", ElementType.Bool, Shape.Scalar), new Value("z", ElementType.Float32));
        model.Graph.Inputs.Add(condition);
        model.Graph.Nodes.Add(new Node("If", [condition], [z], new AttributeMap(("then_branch", then), ("else_branch", otherwise)), "choice"));
        model.Graph.Outputs.Add(z);
        var inlined = FunctionInliner.Inline(OnnxReader.Read(OnnxWriter.ToBytes(model)));
        Assert.IsEmpty(GraphChecker.Findings(inlined));
        var branch = (OnnxGraph)inlined.Graph.Nodes[^1].Attributes.Single(static a => a.Key == "then_branch").Value;
        Assert.IsTrue(branch.Nodes.Exists(static n => n.OpType == "LeakyRelu"));
    }

    [TestMethod]
    public void AFunctionOfAnotherOpsetIsTakenWhereItsOperatorsMeanTheSame()
    {
        var model = Calls();
        model.Opsets[""] = 20;
        Assert.AreEqual(20, FunctionInliner.Inline(model).Opset);
        // Softmax works otherwise before 13.
        var old = model.Functions[1] with { Opsets = new Dictionary<string, long> { [""] = 11, ["pkg.inner"] = 1 } };
        model.Functions[1] = old;
        var message = Assert.ThrowsExactly<UnsupportedOpException>(() => FunctionInliner.Inline(model)).Message;
        StringAssert.Contains(message, "pkg.torch::Block is of opset 11");
        StringAssert.Contains(message, "Softmax");
    }

    [TestMethod]
    public void AFunctionThatCallsItselfIsRefused()
    {
        var model = Calls();
        var body = model.Functions[0].Body;
        body.Nodes.Add(new Node("Scale", [body.Inputs[0], null], [new Value("again")], domain: "pkg.inner"));
        StringAssert.Contains(Assert.ThrowsExactly<UnsupportedOpException>(() => FunctionInliner.Inline(model)).Message, "call itself");
    }

    /// <summary>Two calls of pkg.torch::Block(x, bias?) = softmax(Scale(x)), which returns x too; Scale(x, unused?) = leaky(x) * x by an attribute.</summary>
    private static OnnxModel Calls()
    {
        var (a, unused, l, m) = (new Value("x"), new Value("unused"), new Value("l"), new Value("y"));
        var scale = PassModels.GraphOf("Scale", [a, unused],
        [
            new Node("LeakyRelu", [a], [l], new AttributeMap(("alpha", new AttributeReference("slope", 1))), "leaky"),
            new Node("Mul", [l, a], [m], name: "mul"),
        ], [m]);
        var (b, bias, s, q, passed) = (new Value("x"), new Value("bias"), new Value("s"), new Value("q"), new Value("passed"));
        var block = PassModels.GraphOf("Block", [b, bias],
        [
            new Node("Scale", [b, null], [s], new AttributeMap(("slope", new AttributeReference("slope", 1))), "inner", "pkg.inner"),
            new Node("Softmax", [s], [q], new AttributeMap(("axis", new AttributeReference("axis", 2))), "softmax"),
            new Node("Identity", [b], [passed], null, "pass"),
        ], [q, passed]);
        var (x, h, y, same) = (Float("x", 2, 3), new Value("h"), new Value("y", ElementType.Float32), new Value("same"));
        var sum = new Value("sum", ElementType.Float32);
        var model = Model(PassModels.GraphOf("main", [x],
        [
            new Node("Block", [x, null], [h, same], new AttributeMap(("slope", 0.3f), ("axis", 0)), "first", "pkg.torch"),
            new Node("Block", [h], [y, new Value("unused")], null, "second", "pkg.torch"),
            new Node("Add", [y, same], [sum], name: "sum"),
        ], [sum]));
        var opsets = new Dictionary<string, long> { [""] = 18, ["pkg.inner"] = 1 };
        model.Functions.Add(new OnnxFunction("pkg.inner", "Scale", scale, [], new AttributeMap(("slope", 0.01f)), new Dictionary<string, long> { [""] = 18 }));
        model.Functions.Add(new OnnxFunction("pkg.torch", "Block", block, ["axis"], new AttributeMap(("slope", 0.01f)), opsets));
        model.Opsets["pkg.inner"] = 1;
        model.Opsets["pkg.torch"] = 1;
        return model;
    }
}
