using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;

namespace OnnxDistill.Graph.Importing;

/// <summary>
/// The gradient coverage of a model as an exporter left it: functions inlined, constant branches and loops straightened, and what will be converted
/// or lowered to opset 18 counted as what it becomes. Whether a rule takes a node (constant axes, supported modes), and whether a conversion does
/// that needs shapes, shows only after ONNX Runtime has folded the graph.
/// </summary>
public static class RawCoverage
{
    /// <summary>The report; its operators are those of the file, functions inlined.</summary>
    /// <exception cref="UnsupportedOpException">The opset lies outside the range, or functions cannot be inlined.</exception>
    public static CoverageReport Of(OnnxModel model)
    {
        var inlined = FunctionInliner.Inline(model);
        var operators = CoverageReport.Of(inlined.Graph.Nodes, static _ => null).Operators;
        ControlFlow.Unroll(inlined);
        var (converted, refusals) = OpsetConverter.Try(inlined);
        var gaps = refusals.Where(static r => !r.LacksShapes).Select(static r => new CoverageReport.Gap(r.Node, r.Reason));
        return new CoverageReport(operators, [.. gaps, .. CoverageReport.Of(converted.Graph.Nodes, ReasonOf).Missing]);
    }

    private static string? ReasonOf(Node node) => GradientRules.Find(node) is not null ? null
        : ControlFlow.Is(node) && ControlFlow.WhyNot(node) is { } why ? $"it cannot be unrolled: {why}"
        : GradientRefusals.ReasonOf(node);
}
