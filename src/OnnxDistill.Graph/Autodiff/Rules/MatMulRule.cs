using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// Y = A B: dA = dY B', dB = A' dY. A matrix on the right of a batch is one large product for its gradient (the batch is folded into
/// the rows): that is the form in which ONNX Runtime's GEMM is fastest, and no gradient of every sample's own copy is ever made.
/// </summary>
internal sealed class MatMulRule : IGradientRule
{
    public string? Refuses(Node node) =>
        node.Inputs.Any(v => v?.KnownShape is { Rank: 1 }) ? "operands of rank 1 are not supported yet" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, a, b, dy) = (context.Builder, context.Node.Input(0), context.Node.Input(1), context.OutputGradient);
        if (b.Shape.Rank > 2)
            return [g.MatMul(dy, g.TransposeLast(b)), g.MatMul(g.TransposeLast(a), dy)];
        var rows = Rows(g, a);
        var gradientRows = Rows(g, dy);
        return [g.Reshape(g.Gemm(gradientRows, b, transposeB: true), a.Shape), g.Gemm(rows, gradientRows, transposeA: true)];
    }

    private static Value Rows(GraphBuilder g, Value x) =>
        g.Reshape(x, Shape.Of(x.Shape.Sizes()[..^1].Aggregate(1L, static (n, d) => n * d), x.Shape[x.Shape.Rank - 1]));
}

/// <summary>Y = alpha A B + beta C with optional transposes.</summary>
internal sealed class GemmRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (a, b) = (node.Input(0), node.Input(1));
        var (alpha, beta) = (node.Attributes.Float("alpha", 1), node.Attributes.Float("beta", 1));
        var (ta, tb) = (node.Attributes.Int("transA", 0) == 1, node.Attributes.Int("transB", 0) == 1);
        var da = ta ? g.Gemm(b, dy, null, tb, true, alpha) : g.Gemm(dy, b, null, false, !tb, alpha);
        var db = tb ? g.Gemm(dy, a, null, true, ta, alpha) : g.Gemm(a, dy, null, !ta, false, alpha);
        return node.OptionalInput(2) is null && node.Inputs.Length < 3 ? [da, db]
            : [da, db, node.OptionalInput(2) is null ? null : beta == 1 ? dy : g.Mul(dy, beta)];
    }
}
