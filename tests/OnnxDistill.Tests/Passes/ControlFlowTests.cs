using OnnxDistill.Graph.Importing;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using static OnnxDistill.Tests.Passes.PassModels;

namespace OnnxDistill.Tests.Passes;

/// <summary>Straightened graphs compute what ONNX Runtime computes of the branches, loops and sequences; what depends on data is refused.</summary>
[TestClass]
public sealed class ControlFlowTests
{
    [TestMethod]
    [DataRow(true, "Neg")]
    [DataRow(false, "Exp Mul")]
    public void AConstantIfBecomesItsBranch(bool condition, string expected)
    {
        var (x, y) = (Float("x", 2, 3), Float("y", 2, 3));
        var then = GraphOf("then", [], [new Node("Neg", [new Value("x")], [new Value("t")])], []);
        then.Outputs.Add(then.Nodes[0].Output);
        var (e, r) = (new Value("e"), new Value("r"));
        var otherwise = GraphOf("else", [], [new Node("Exp", [new Value("x")], [e]), new Node("Mul", [e, new Value("two")], [r])], [r]);
        var model = Model(GraphOf("if", [x], [new Node("If", [Constant("c", TensorData.Of([condition], []))], [y],
            new AttributeMap(("then_branch", then), ("else_branch", otherwise)), "choice")], [y], Constant("two", TensorData.Of([2f], []))));
        model.Graph.Initializers.Add(model.Graph.Nodes[0].Input(0));
        AssertStraight(model, expected);
    }

    [TestMethod]
    [DataRow(11)]
    [DataRow(18)]
    public void ALoopIsUnrolledWithItsScans(int opset) => AssertStraight(CountedLoop(3, opset), "Cast Mul Add Cast Mul Add Cast Mul Add Unsqueeze Unsqueeze Unsqueeze Concat");

    [TestMethod]
    public void ALoopThatOnlyCarriesMayRunNotAtAll() => AssertStraight(CountedLoop(0, 18, scan: false), "");

    [TestMethod]
    public void NestedLoopsAndBranchesAreUnrolledInside()
    {
        // Inner: carried * 0.5 twice, in a branch that a constant takes; the outer loop runs it twice and captures x.
        var (i, c, v, h) = (new Value("i", ElementType.Int64, Shape.Scalar), new Value("c", ElementType.Bool, Shape.Scalar), new Value("v"), new Value("h"));
        v.Type = ElementType.Float32;
        var innerCondition = new Value("c_out");
        var inner = GraphOf("inner", [i, c, v], [new Node("Mul", [v, new Value("half")], [h], name: "scale"), new Node("Identity", [c], [innerCondition])],
            [innerCondition, h]);
        var innerLoop = new Node("Loop", [new Value("two_turns"), null, new Value("w")], [new Value("inner_result")], new AttributeMap(("body", inner)), "inner");
        var branch = GraphOf("then", [], [innerLoop], [innerLoop.Output]);
        var nothing = new Value("nothing");
        var other = GraphOf("else", [], [new Node("Neg", [new Value("w")], [nothing])], [nothing]);
        var (j, d, w) = (new Value("j", ElementType.Int64, Shape.Scalar), new Value("d", ElementType.Bool, Shape.Scalar), new Value("w", ElementType.Float32));
        var (chosen, sum, outerCondition) = (new Value("chosen"), new Value("sum"), new Value("d_out"));
        var outer = GraphOf("outer", [j, d, w],
        [
            new Node("If", [new Value("yes")], [chosen], new AttributeMap(("then_branch", branch), ("else_branch", other)), "choice"),
            new Node("Add", [chosen, new Value("x")], [sum], name: "add"),
            new Node("Identity", [d], [outerCondition]),
        ], [outerCondition, sum]);
        var (x, y) = (Float("x", 2, 3), new Value("y", ElementType.Float32));
        var turns = Integer("two_turns", 2);
        var model = Model(GraphOf("nested", [x], [new Node("Loop", [turns, null, x], [y], new AttributeMap(("body", outer)), "outer")], [y], turns,
            Constant("yes", TensorData.Of([true], [])), Constant("half", TensorData.Of([0.5f], []))));
        AssertStraight(model, "Mul Mul Add Mul Mul Add");
    }

    [TestMethod]
    [DataRow(0L, 0L, 0L, 0L)]
    [DataRow(1L, 1L, 1L, 1L)]
    [DataRow(1L, 0L, -1L, 1L)]
    public void AScanIsUnrolledAlongItsAxesAndDirections(long inputAxis, long inputDirection, long outputAxis, long outputDirection)
    {
        var (x, initial, last, all) = (Float("x", 3, 3), Float("initial", 3), Float("last", 3), new Value("all", ElementType.Float32));
        var (s, e, sum, twice) = (Float("s", 3), Float("e", 3), Float("sum", 3), Float("twice", 3));
        var body = GraphOf("body", [s, e], [new Node("Add", [s, e], [sum]), new Node("Mul", [sum, e], [twice])], [sum, twice]);
        var model = Model(GraphOf("scan", [x, initial], [new Node("Scan", [initial, x], [last, all], new AttributeMap(("body", body), ("num_scan_inputs", 1),
            ("scan_input_axes", new[] { inputAxis }), ("scan_input_directions", new[] { inputDirection }),
            ("scan_output_axes", new[] { outputAxis }), ("scan_output_directions", new[] { outputDirection })), "rows")], [last, all]));
        AssertStraight(model, "Gather Add Mul Gather Add Mul Gather Add Mul Unsqueeze Unsqueeze Unsqueeze Concat");
    }

    [TestMethod]
    public void WhatDependsOnDataStaysAndIsNamedWithTheReason()
    {
        var open = CountedLoop(3, 18);
        var count = new Value("count", ElementType.Int64, Shape.Scalar);
        open.Graph.Inputs.Add(count);
        var loop = open.Graph.Nodes[0];
        loop.Inputs[0] = count;
        Assert.IsFalse(ControlFlow.Unroll(open));
        StringAssert.Contains(RawCoverage.Of(open).Describe(), "Loop: it cannot be unrolled: its trip count is not constant; 1 node(s): 'loop'");

        var huge = CountedLoop(1_000_000, 18);
        StringAssert.Contains(ControlFlow.WhyNot(huge.Graph.Nodes[0]), "too many");
        StringAssert.Contains(ControlFlow.WhyNot(CountedLoop(0, 18).Graph.Nodes[0]), "never runs");

        var stops = CountedLoop(3, 18);
        var body = (OnnxGraph)stops.Graph.Nodes[0].Attributes.Single().Value;
        var decided = new Value("decided");
        body.Nodes.Add(new Node("Less", [body.Inputs[0], new Value("turns")], [decided]));
        body.Outputs[0] = decided;
        StringAssert.Contains(ControlFlow.WhyNot(stops.Graph.Nodes[0]), "its condition changes inside");
    }

    [TestMethod]
    public void SequencesOfKnownTensorsAreResolved()
    {
        var (x, y) = (Float("x", 5, 3), Float("y", 1, 3));
        var (parts, first, joined, one, length, stacked) =
            (new Value("parts"), new Value("first", ElementType.Float32), new Value("joined", ElementType.Float32), new Value("one", ElementType.Float32),
            new Value("length", ElementType.Int64), new Value("stacked", ElementType.Float32));
        var (longer, shorter, rows) = (new Value("longer"), new Value("shorter"), new Value("rows"));
        var (zero, last, two) = (Integer("zero", 0), Integer("last", -1), Integer("two", 2));
        var model = Model(GraphOf("sequences", [x, y],
        [
            new Node("SplitToSequence", [x, two], [parts], new AttributeMap(("axis", 0))),
            new Node("SequenceInsert", [parts, y, zero], [longer]),
            new Node("SequenceErase", [longer, last], [shorter]),
            new Node("SequenceAt", [shorter, zero], [first]),
            new Node("ConcatFromSequence", [shorter], [joined], new AttributeMap(("axis", 0))),
            new Node("SequenceLength", [longer], [length]),
            new Node("SplitToSequence", [x], [rows], new AttributeMap(("axis", 1), ("keepdims", 0))),
            new Node("SequenceAt", [rows, last], [one]),
            new Node("ConcatFromSequence", [rows], [stacked], new AttributeMap(("axis", 1), ("new_axis", 1))),
        ], [first, joined, one, length, stacked], zero, last, two));
        AssertStraight(model, "Split Concat Split Squeeze Squeeze Squeeze Unsqueeze Unsqueeze Unsqueeze Concat");
    }

    [TestMethod]
    public void ASequenceThatIsAnOutputStays()
    {
        var (x, s) = (Float("x", 2), new Value("s"));
        var model = Model(GraphOf("open", [x], [new Node("SequenceConstruct", [x, x], [s], name: "both")], [s]));
        Assert.IsFalse(ControlFlow.Unroll(model));
        StringAssert.Contains(RawCoverage.Of(model).Describe(), "'both'");
    }

    private static void AssertStraight(OnnxModel model, string operators)
    {
        // As a file would be read: values of subgraphs are their own objects.
        var straight = OnnxReader.Read(OnnxWriter.ToBytes(model));
        Assert.IsTrue(ControlFlow.Unroll(straight));
        Assert.AreEqual(operators, Operators(straight));
        if (straight.Opset == OnnxModel.InnerOpset)
            Assert.IsEmpty(GraphChecker.Findings(straight));
        AssertSame(model, straight);
    }

    /// <summary>v = v * x + turn, and v of each turn collected.</summary>
    private static OnnxModel CountedLoop(long turns, int opset, bool scan = true)
    {
        var (i, c, v) = (new Value("i", ElementType.Int64, Shape.Scalar), new Value("c", ElementType.Bool, Shape.Scalar), Float("v", 2, 3));
        var (f, p, s, o) = (new Value("f"), new Value("p"), Float("s", 2, 3), new Value("c_out", ElementType.Bool, Shape.Scalar));
        var body = GraphOf("body", [i, c, v],
        [
            new Node("Cast", [i], [f], new AttributeMap(("to", ElementType.Float32))),
            new Node("Mul", [v, new Value("x")], [p], name: "times"),
            new Node("Add", [p, f], [s], name: "plus"),
            new Node("Identity", [c], [o]),
        ], scan ? [o, s, s] : [o, s]);
        if (scan)
        {
            // An output may stand once only.
            var copy = Float("copy", 2, 3);
            body.Nodes.Add(new Node("Identity", [s], [copy]));
            body.Outputs[2] = copy;
        }
        var (x, last, all) = (Float("x", 2, 3), Float("last", 2, 3), new Value("all", ElementType.Float32));
        var (count, yes) = (Integer("turns", turns), Constant("yes", TensorData.Of([true], [])));
        return Model(GraphOf("loop", [x], [new Node("Loop", [count, yes, x], scan ? [last, all] : [last], new AttributeMap(("body", body)), "loop")],
            scan ? [last, all] : [last], count, yes), opset);
    }
}
