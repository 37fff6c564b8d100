using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: dy * s + dy * x * (s - s * s) with s = Sigmoid(x), the gradient of y = x * s, whose steps nobody else uses → after: dy * (s + y * (1 - s)).
/// Four passes instead of six where y is there anyway (it then becomes one with the product made here), else five.
/// </summary>
internal sealed class SiluGradient : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Add", "Sum"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        if (node.Inputs is not [{ } first, { } second])
            return RewriteResult.Keep("it adds more than two values");
        return Match(context, first, second) ?? Match(context, second, first) ?? RewriteResult.Keep("its operands are not the two ways through x * Sigmoid(x)");
    }

    // direct: dy * s; through: (dy * x) * (s - s * s).
    private static RewriteResult? Match(RewriteContext context, Value direct, Value through)
    {
        if (Factors(context, through) is not var (left, right) || (Slope(context, right) ?? Slope(context, left)) is not { } sigmoid)
            return null;
        var (s, x) = (sigmoid.Output, sigmoid.Input(0));
        if (Factors(context, Slope(context, right) is null ? right : left) is not { } product || Other(product, x) is not { } dy
            || Factors(context, direct) is not { } straight || Other(straight, s) != dy || !Equals(dy.KnownShape, s.KnownShape))
        {
            return null;
        }
        var b = context.Builder;
        return b.Mul(dy, b.Add(s, b.Mul(b.Mul(x, s), b.Sub(b.Scalar(1, s.Type), s))));
    }

    /// <summary>The Sigmoid of s - s * s.</summary>
    private static Node? Slope(RewriteContext context, Value value) => context.IsUsedOnce(value) && RewriteContext.Made(value, "Sub") is { } difference
        && RewriteContext.Made(difference.Input(0), "Sigmoid") is { } sigmoid && Factors(context, difference.Input(1)) is var (a, b)
        && a == sigmoid.Output && b == sigmoid.Output ? sigmoid : null;

    private static (Value, Value)? Factors(RewriteContext context, Value value) =>
        context.IsUsedOnce(value) && RewriteContext.Made(value, "Mul") is { } product ? (product.Input(0), product.Input(1)) : null;

    private static Value? Other((Value First, Value Second) factors, Value one) => factors.First == one ? factors.Second : factors.Second == one ? factors.First : null;
}
