using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Softmax, LogSoftmax and Hardmax before 13 work on the matrix that results from flattening at the axis (1 by default); from
/// 13 on
/// they work along one axis.</summary>
internal static class SoftmaxConversions
{
    /// <summary>The same numbers in the newer form: along the last axis where that is all there is, else between two reshapes.</summary>
    public static void Coerced(NodeRewriter r)
    {
        var axis = r.Node.Attributes.Int("axis", 1);
        var lastAxis = new AttributeMap(("axis", -1L));
        if (r.X.KnownShape is { } shape && (axis < 0 ? axis + shape.Rank : axis) == shape.Rank - 1)
        {
            r.Replace(r.Node.OpType, [r.X], lastAxis);
            return;
        }
        var matrix = r.Emit("Flatten", "matrix", [r.X], new AttributeMap(("axis", axis)), Flattened(r.X.KnownShape, axis));
        var rows = r.Emit(r.Node.OpType, "rows", [matrix], lastAxis, matrix.KnownShape);
        r.Replace("Reshape", [rows, r.ShapeOf(r.X, "shape")]);
    }

    private static Shape? Flattened(Shape? shape, long axis)
    {
        if (shape is not { IsStatic: true })
            return null;
        var split = (int)(axis < 0 ? axis + shape.Rank : axis);
        var sizes = shape.Sizes();
        return Shape.Of(Product(sizes.Take(split)), Product(sizes.Skip(split)));
    }

    private static long Product(IEnumerable<long> sizes) => sizes.Aggregate(1L, static (a, b) => a * b);
}
