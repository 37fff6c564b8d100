using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// Y = A B: dA = dY B', dB = A' dY. A matrix on the right of a batch is one large product for its gradient (the batch is folded into
/// the rows): that is the form in which ONNX Runtime's GEMM is fastest, and no gradient of every sample's own copy is ever made.
/// </summary>
internal sealed class MatMulRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, a, b, dy) = (context.Builder, context.Node.Input(0), context.Node.Input(1), context.OutputGradient);
        // A vector is a matrix of one row (left) or one column (right), whose axis the result does not have.
        var (isRow, isColumn) = (a.Shape.Rank == 1, b.Shape.Rank == 1);
        if (isColumn)
            dy = g.Unsqueeze(dy, -1);
        if (isRow)
            dy = g.Unsqueeze(dy, -2);
        var (da, db) = Gradients(g, isRow ? g.Unsqueeze(a, 0) : a, isColumn ? g.Unsqueeze(b, 1) : b, dy);
        return [isRow ? g.Squeeze(da, -2) : da, isColumn ? g.Squeeze(db, -1) : db];
    }

    private static (Value A, Value B) Gradients(GraphBuilder g, Value a, Value b, Value dy)
    {
        // A batch of one matrix, or none, which every row of A meets.
        if (b.Shape.SkipLast(2).Any(static d => d != 1))
            return (g.MatMul(dy, g.TransposeLast(b)), LeftTransposed(g, a, dy));
        var matrix = g.Reshape(b, new Shape(b.Shape.TakeLast(2)));
        var (rows, gradientRows) = (Rows(g, a), Rows(g, dy));
        return (g.Reshape(g.Gemm(gradientRows, matrix, transposeB: true), a.Shape), g.Reshape(g.Gemm(rows, gradientRows, transposeA: true), b.Shape));
    }

    /// <summary>A' B of batches of matrices. Where B is much narrower than A it is (B' A)': ONNX Runtime takes about twice as long for a product with its
    /// left side transposed, and the small transpositions mostly merge with their neighbours.</summary>
    public static Value LeftTransposed(GraphBuilder g, Value a, Value b) => 2 * b.Shape[b.Shape.Rank - 1].Size <= a.Shape[a.Shape.Rank - 1].Size
        ? g.TransposeLast(g.MatMul(g.TransposeLast(b), a)) : g.MatMul(g.TransposeLast(a), b);

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
        if (node.Inputs.Length < 3)
            return [da, db];
        // A beta of 0 means that C is not even read.
        return [da, db, node.Inputs[2] is null || beta == 0 ? null : beta == 1 ? dy : g.Mul(dy, beta)];
    }
}
