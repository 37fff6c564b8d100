using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>before: Identity(x) → after: x.</summary>
internal sealed class IdentityRemoval : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Identity"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        // What is known of the copy may be more than what is known of the original.
        var (x, y) = (node.Input(0), node.Output);
        return x.Type == y.Type && Equals(x.KnownShape, y.KnownShape) ? x : RewriteResult.Keep("the copy's shape is known better than the value's");
    }
}
