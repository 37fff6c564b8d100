using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: Cast(Cast(x: A → B) → C) → after: Cast(x → C), or x itself when C is A. Only when every number of A is a number of B: a step through
/// a narrower type rounds, and that is what its author wanted. A cast to the type that a value has already is x as well.
/// </summary>
internal sealed class CastPair : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Cast"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        var x = node.Input(0);
        var source = x;
        while (RewriteContext.Made(source, "Cast") is { } inner && IsLossless(inner.Input(0).Type, source.Type))
            source = inner.Input(0);
        if (source.Type == node.Output.Type)
            return source;
        return source == x ? RewriteResult.Keep("no lossless cast before it") : context.Builder.Cast(source, node.Output.Type);
    }

    private static bool IsLossless(ElementType from, ElementType to) => from == to || (from, to) switch
    {
        (ElementType.Float16 or ElementType.BFloat16, ElementType.Float32 or ElementType.Float64) => true,
        (ElementType.Float32, ElementType.Float64) => true,
        (ElementType.Bool, ElementType.Float16 or ElementType.Float32 or ElementType.Float64 or ElementType.Int32 or ElementType.Int64) => true,
        (ElementType.Int32, ElementType.Int64 or ElementType.Float64) => true,
        (ElementType.UInt8 or ElementType.Int8, ElementType.Int32 or ElementType.Int64 or ElementType.Float32 or ElementType.Float64) => true,
        _ => false,
    };
}
