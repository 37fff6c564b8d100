using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: Neg(Neg(x)) → after: x; a + Neg(b) → a - b; Neg(a) + b → b - a; a - Neg(b) → a + b; Neg(a) * Neg(b) → a * b; Neg(a - b) → b - a where
/// nobody else uses the difference. Exact up to the sign of zero.
/// </summary>
internal sealed class Negations : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Add", "Mul", "Neg", "Sub"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        var b = context.Builder;
        if (node.Output.KnownShape is null)
            return RewriteResult.Keep("its shape is not known");
        var first = Negated(node.Input(0));
        if (node.OpType == "Neg")
        {
            return first is not null ? first
                : RewriteContext.Made(node.Input(0), "Sub") is { } difference && context.IsUsedOnce(node.Input(0)) ? b.Sub(difference.Input(1), difference.Input(0))
                : RewriteResult.Keep("no Neg, and no difference of its own, before it");
        }
        return (node.OpType, first, Negated(node.Input(1))) switch
        {
            ("Add", _, { } second) => b.Sub(node.Input(0), second),
            ("Add", { }, null) => b.Sub(node.Input(1), first),
            ("Sub", _, { } second) => b.Add(node.Input(0), second),
            ("Mul", { }, { } second) => b.Mul(first, second),
            _ => RewriteResult.Keep("no operand is a Neg that the operation can take in"),
        };
    }

    private static Value? Negated(Value value) => RewriteContext.Made(value, "Neg")?.Input(0);
}
