using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Matrix products and sums over labelled axes.</summary>
internal static class ProductCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Einsum", "batched product", [Normal(2, 3, 4), Normal(2, 4, 5)], ("equation", "bij,bjk->bik")),
        new("Einsum", "outer product", [Normal(3), Normal(4)], ("equation", "i,j->ij")),
        new("Einsum", "transposed, spaces", [Normal(2, 3, 4)], ("equation", "a b c -> c a b")),
        new("Einsum", "summed-out label", [Normal(2, 3), Normal(3, 4)], ("equation", "ij,jk->k")),
        new("Einsum", "no arrow", [Normal(2, 3), Normal(3, 4)], ("equation", "ij,jk")),
        new("Gemm", "plain", [Normal(2, 3), Normal(3, 4)]),
        new("Gemm", "bias, alpha, beta", [Normal(2, 3), Normal(3, 4), Normal(4)], ("alpha", 0.7), ("beta", 1.4)),
        new("Gemm", "first transposed", [Normal(3, 2), Normal(3, 4), Normal(2, 1)], ("transA", 1)),
        new("Gemm", "second transposed", [Normal(2, 3), Normal(4, 3), Normal(2, 4)], ("transB", 1)),
        new("Gemm", "both transposed, scalar bias", [Normal(3, 2), Normal(4, 3), Normal()], ("transA", 1), ("transB", 1)),
        new("MatMul", "matrices", [Normal(2, 3), Normal(3, 4)]),
        new("MatMul", "batch times matrix", [Normal(2, 5, 3), Normal(3, 4)]),
        new("MatMul", "batch times batch", [Normal(2, 5, 3), Normal(2, 3, 4)]),
        new("MatMul", "broadcast batch", [Normal(2, 1, 5, 3), Normal(4, 3, 2)]),
        new("MatMul", "matrix times batch", [Normal(5, 3), Normal(2, 3, 4)]),
    ];
}
