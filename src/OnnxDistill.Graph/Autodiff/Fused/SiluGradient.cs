using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Fused;

/// <summary>y = x * s, s = Sigmoid(x): dx = dy (s + y (1 - s)), four passes where the two rules take seven.</summary>
internal sealed class SiluGradient : IFusedGradient
{
    public string LastOperator => "Mul";

    public IReadOnlyList<(Value Value, Value Gradient)>? TryApply(GradientContext context)
    {
        var (g, y, dy) = (context.Builder, context.Node.Output, context.OutputGradient);
        var (first, second) = (context.Node.Input(0), context.Node.Input(1));
        var (x, s) = IsSigmoidOf(second, first) ? (first, second) : IsSigmoidOf(first, second) ? (second, first) : default;
        return x is null ? null : [(x, g.Mul(dy, g.Add(s, g.Mul(y, g.Sub(g.Scalar(1, x.Type), s)))))];
    }

    private static bool IsSigmoidOf(Value s, Value x) => s.Producer is { QualifiedOp: "Sigmoid" } sigmoid && sigmoid.Input(0) == x;
}
