using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building.Resampling;

/// <summary>A matrix times a tensor along one of its axes.</summary>
internal static class AxisProduct
{
    /// <summary>The matrix [output, input] (or its transpose) applied to every line of x along the axis.</summary>
    public static Value Apply(GraphBuilder g, Value x, int axis, Value matrix, bool transposed)
    {
        var extent = matrix.Shape[transposed ? 1 : 0];
        var result = x.Shape.With(axis, extent);
        if (axis == x.Shape.Rank - 1)
            return x.Shape.Rank == 1
                ? g.Reshape(g.MatMul(g.Reshape(x, Shape.Of(1, x.Shape[0])), transposed ? matrix : g.TransposeLast(matrix)), result)
                : g.MatMul(x, transposed ? matrix : g.TransposeLast(matrix));
        // [before, axis, after]: a product of the matrix with each [axis, after].
        var joined = g.Join(g.Join(x, axis + 1, x.Shape.Rank - axis - 1), 0, axis);
        return g.Reshape(g.MatMul(transposed ? g.TransposeLast(matrix) : matrix, joined), result);
    }
}
