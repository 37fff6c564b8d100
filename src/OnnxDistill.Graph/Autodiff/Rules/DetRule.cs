using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// y = det X: dX is dy times the matrix of cofactors, each the determinant of X without a row and a column. No inverse is taken, so X may
/// be singular; the work grows as the fifth power of the extent.
/// </summary>
internal sealed class DetRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, x, dy) = (context.Builder, context.Node.Input(0), context.OutputGradient);
        var rank = x.Shape.Rank;
        var n = (int)x.Shape[rank - 1].Size;
        if (n == 1)
            return [g.Reshape(dy, x.Shape)];
        // [..., n, n] to [..., row left out, n - 1, column left out, n - 1] to [..., row, column, n - 1, n - 1].
        var others = g.Constant(TensorData.Of(Enumerable.Range(0, n).SelectMany(i => Others(i, n)).ToArray(), n, n - 1));
        var cut = g.Gather(g.Gather(x, others, rank - 1), others, rank - 2);
        var order = Enumerable.Range(0, rank + 2).Select(static i => (long)i).ToArray();
        (order[rank - 1], order[rank]) = (rank, rank - 1);
        var cofactors = g.Mul(g.Det(g.Transpose(cut, order)), Signs(g, n, x.Type));
        return [g.Mul(cofactors, g.Unsqueeze(dy, -2, -1))];
    }

    private static IEnumerable<long> Others(int left, int n) => Enumerable.Range(0, n).Where(i => i != left).Select(static i => (long)i);

    private static Value Signs(GraphBuilder g, int n, ElementType type)
    {
        var signs = Enumerable.Range(0, n * n).Select(i => ((i / n) + (i % n)) % 2 == 0 ? 1.0 : -1).ToArray();
        return g.Cast(g.Constant(TensorData.Of(signs, n, n)), type);
    }
}
