using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: Reshape(Squeeze(Unsqueeze(Flatten(x)))), in any order and number → after: Reshape(x), or x itself when the shape is its own.
/// </summary>
internal sealed class ReshapeChain : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Flatten", "Reshape", "Squeeze", "Unsqueeze"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        // An extent of 0 in the target of a Reshape would mean "as it was".
        if (node.Output.KnownShape is not { IsStatic: true } shape || shape.Any(static d => d == 0))
            return RewriteResult.Keep("its shape is not known, or empty");
        var source = node.Input(0);
        while (source.Producer is { Domain: "", OpType: "Flatten" or "Reshape" or "Squeeze" or "Unsqueeze" } inner)
            source = inner.Input(0);
        if (shape.Equals(source.KnownShape))
            return source;
        return source == node.Input(0) ? RewriteResult.Keep("no change of shape before it") : context.Builder.Reshape(source, shape);
    }
}
