using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// y = product x: dx[i] = dy times the product of all other elements. y / x[i] fails at zeros, so the product is multiplied up again as a
/// binary tree, and dy comes down that tree, at each fork times the sibling: exact whatever x holds, about as many multiplications
/// as elements, and nothing but multiplications to differentiate again.
/// </summary>
internal sealed class ReduceProdRule : ReductionRule
{
    protected override Value Gradient(GraphBuilder g, Value x, Value y, Value dy, long count)
    {
        if (count == 1)
            return dy;
        if (count == 0)
            return g.Full(x.Shape, 0, x.Type);
        // The reduced axes go to the back, where they become one axis of `count` elements.
        var order = Enumerable.Range(0, x.Shape.Rank).OrderBy(i => x.Shape[i] == y.Shape[i] ? 0 : 1).ToArray();
        var moved = g.Transpose(x, [.. order.Select(i => (long)i)]);
        var rows = x.Shape.ElementCount / count;
        var others = TimesOthers(g, g.Reshape(moved, Shape.Of(rows, count)), g.Reshape(dy, Shape.Of(rows, 1)));
        var back = new long[order.Length];
        for (var i = 0; i < order.Length; i++)
            back[order[i]] = i;
        return g.Transpose(g.Reshape(others, moved.Shape), back);
    }

    /// <summary>For x [rows, count] and dy [rows, 1]: dy times the product of the row's other elements.</summary>
    private static Value TimesOthers(GraphBuilder g, Value x, Value dy)
    {
        var (rows, count) = (x.Shape[0].Size, x.Shape[1].Size);
        if (count == 1)
            return dy;
        var odd = count % 2 == 1;
        var even = odd ? g.Concat(1, x, g.Full(Shape.Of(rows, 1), 1, x.Type)) : x;
        var half = (count + 1) / 2;
        var pair = g.Split(even, 1, half, half);
        var parent = TimesOthers(g, g.Mul(pair[0], pair[1]), dy);
        var children = g.Concat(1, g.Mul(parent, pair[1]), g.Mul(parent, pair[0]));
        return odd ? g.Slice(children, 1, 0, count) : children;
    }
}
