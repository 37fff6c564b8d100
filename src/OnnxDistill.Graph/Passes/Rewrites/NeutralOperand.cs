using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: x + 0, x - 0, x * 1, x / 1 → after: x, or Expand(x) where the constant widened it. Exact, but for -0 + 0, which is +0.
/// </summary>
internal sealed class NeutralOperand : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Add", "Div", "Mul", "Sub"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        if (node.Output.KnownShape is not { IsStatic: true } shape)
            return RewriteResult.Keep("its shape is not known");
        var neutral = node.OpType is "Add" or "Sub" ? 0.0 : 1.0;
        var x = RewriteContext.FilledWith(node.Input(1)) == neutral ? node.Input(0)
            : node.OpType is "Add" or "Mul" && RewriteContext.FilledWith(node.Input(0)) == neutral ? node.Input(1) : null;
        return x is null ? RewriteResult.Keep($"no operand is known to be {neutral}") : context.Builder.Expand(x, shape);
    }
}
