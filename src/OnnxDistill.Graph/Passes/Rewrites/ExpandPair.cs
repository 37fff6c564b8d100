using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: Expand(Expand(x)) → after: Expand(x); Expand to the shape that x has → x; Reshape or Transpose of one number expanded → that number
/// expanded to the final shape.
/// </summary>
internal sealed class ExpandPair : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Expand", "Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        if (node.Output.KnownShape is not { IsStatic: true } shape || node.Input(0).KnownShape is not { IsStatic: true })
            return RewriteResult.Keep("its shapes are not known");
        var x = node.Input(0);
        if (node.OpType == "Expand" && x.Shape.Equals(shape))
            return x;
        if (RewriteContext.Made(x, "Expand")?.Input(0) is not { KnownShape.IsStatic: true } source)
            return RewriteResult.Keep("its input is no Expand");
        // One number of rank 0 or 1 broadcasts to any shape of rank 1 or more.
        var fits = node.OpType == "Expand" || (source.Shape.Rank <= Math.Min(1, shape.Rank) && source.Shape.ElementCount == 1);
        return fits ? context.Builder.Expand(source, shape) : RewriteResult.Keep("the expanded value has more than one number");
    }
}
