using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: Transpose(Transpose(x, p), q) → after: Transpose(x, p after q), or x when nothing moves. A Transpose that only moves extents of 1
/// leaves the elements where they are: a Reshape.
/// </summary>
internal sealed class TransposePair : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Transpose"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        if (node.Output.KnownShape is not { IsStatic: true } shape)
            return RewriteResult.Keep("its shape is not known");
        var source = node.Input(0);
        var order = Order(node);
        while (RewriteContext.Made(source, "Transpose") is { } inner)
        {
            var before = Order(inner);
            order = Array.ConvertAll(order, i => before[i]);
            source = inner.Input(0);
        }
        if (source.KnownShape is not { IsStatic: true } from)
            return RewriteResult.Keep("its shape is not known");
        // Axes of extent 1 hold no place in memory; the others have to keep their order.
        var moving = order.Where(i => from[(int)i] != 1).ToArray();
        if (moving.SequenceEqual(moving.Order()) && !shape.Any(static d => d == 0))
            return context.Builder.Reshape(source, shape);
        return source == node.Input(0) ? RewriteResult.Keep("no Transpose before it") : context.Builder.Transpose(source, order);
    }

    private static long[] Order(Node node) => node.Attributes.Ints("perm")
        ?? [.. Enumerable.Range(0, node.Output.Shape.Rank).Select(static i => (long)i).Reverse()];
}
