using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: ReduceSum(ReduceSum(x, a), b) → after: ReduceSum(x, a and b), and so for ReduceMean, ReduceMax and ReduceMin; nobody else uses the
/// inner one. A reduction over extents of 1 is a Reshape. Sums are added up in another order, so their last bits may differ.
/// </summary>
internal sealed class ReductionPair : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        if (node.Output.KnownShape is not { IsStatic: true } shape || Axes(node) is not { } axes)
            return RewriteResult.Keep("its shapes or axes are not known");
        var x = node.Input(0);
        if (Array.TrueForAll(axes, a => x.Shape[(int)a] == 1))
            return context.Builder.Reshape(x, shape);
        if (RewriteContext.Made(x, node.OpType) is not { } inner || Axes(inner) is not { } innerAxes || !context.IsUsedOnce(x))
            return RewriteResult.Keep("no reduction of its own before it");
        var source = inner.Input(0);
        // Axes of the outer one count what the inner one left.
        var left = Enumerable.Range(0, source.Shape.Rank).Select(static i => (long)i).Where(i => Keeps(inner) || !innerAxes.Contains(i)).ToArray();
        long[] all = [.. innerAxes.Union(axes.Select(a => left[a])).Order()];
        var keep = Keeps(inner) && Keeps(node);
        var reduced = new Shape(source.Shape.Select((d, i) => all.Contains(i) ? 1 : d).Where((_, i) => keep || !all.Contains(i)));
        var merged = context.Builder.Emit(node.OpType, [source, context.Builder.Longs(all)], node.Output.Type, reduced, ("keepdims", keep));
        return context.Builder.Reshape(merged, shape);
    }

    private static bool Keeps(Node node) => node.Attributes.Int("keepdims", 1) == 1;

    private static long[]? Axes(Node node)
    {
        if (node.Input(0).KnownShape is not { IsStatic: true } shape || node.Attributes.Int("noop_with_empty_axes", 0) == 1 || node.Attributes.Has("axes"))
            return null;
        if (node.OptionalInput(1) is not { } axes)
            return [.. Enumerable.Range(0, shape.Rank).Select(static i => (long)i)];
        return axes.Constant is { ElementCount: > 0 } data ? [.. data.ToLongs().Select(a => (long)shape.Axis(a)).Order()] : null;
    }
}
