using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: Gemm(Transpose(A), B) → after: Gemm(A, B, transA); the same for B; MatMul of matrices one of which is transposed → Gemm. GEMM
/// kernels read either order, so the transposed copy is never made. Batched products stay: ONNX has no flag for them (ONNX Runtime fuses those
/// itself).
/// </summary>
internal sealed class TransposeIntoGemm : INodeRewrite
{
    public IReadOnlyList<string> Operators { get; } = ["Gemm", "MatMul"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        var (a, b) = (node.Input(0), node.Input(1));
        if (node.Output.Type is not (ElementType.Float32 or ElementType.Float64))
            return RewriteResult.Keep("Gemm kernels of other types are rare");
        if (a.KnownShape is not { Rank: 2, IsStatic: true } || b.KnownShape is not { Rank: 2, IsStatic: true })
            return RewriteResult.Keep("its operands are no matrices");
        var (left, right) = (Untransposed(a), Untransposed(b));
        if (left is null && right is null)
            return RewriteResult.Keep("no operand is a Transpose");
        var attributes = node.Attributes;
        var c = node.OptionalInput(2);
        return context.Builder.Gemm(left ?? a, right ?? b, c, (attributes.Int("transA", 0) == 1) != (left is not null), (attributes.Int("transB", 0) == 1) != (right is not null),
            attributes.Float("alpha", 1), attributes.Float("beta", 1));
    }

    private static Value? Untransposed(Value value) => RewriteContext.Made(value, "Transpose") is { } node
        && (node.Attributes.Ints("perm") is not { } order || order is [1, 0]) ? node.Input(0) : null;
}
