using OnnxDistill.Graph.Memory;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Recomputation;

/// <summary>A rough measure of what a node costs, to weigh plans against each other: bytes moved, and for products the arithmetic too.</summary>
internal static class NodeWork
{
    // Products run at about ten operations in the time in which a byte is moved (two cores with AVX-512: 100 GFLOP/s, 10 GB/s).
    private const double OperationsPerByte = 10;

    /// <summary>Whether the node multiplies matrices: dear to repeat, and its result stands for much that went in.</summary>
    public static bool IsProduct(Node node) => node is { Domain: "", OpType: "Conv" or "ConvTranspose" or "Einsum" or "Gemm" or "MatMul" };

    /// <summary>The cost, in bytes moved.</summary>
    public static double Of(Node node)
    {
        if (Storage.IsView(node))
            return 0;
        var moved = node.Inputs.Concat(node.Outputs).OfType<Value>().Sum(Storage.Bytes);
        return moved + (IsProduct(node) ? Operations(node) / OperationsPerByte : 0);
    }

    private static double Operations(Node node)
    {
        var written = Elements(node.Output);
        return 2 * (node.OpType switch
        {
            "Conv" => written * Elements(node.Input(1)) / First(node.Input(1)),
            "ConvTranspose" => Elements(node.Input(0)) * Elements(node.Input(1)) / First(node.Input(1)),
            // Every number of the first operand meets a row or column of the second: the root of the three sizes' product.
            _ => Math.Sqrt(written * Elements(node.Input(0)) * Elements(node.Input(Math.Min(1, node.Inputs.Length - 1)))),
        });
    }

    private static double Elements(Value value) => value.KnownShape is { IsStatic: true } shape ? shape.ElementCount : 0;

    private static double First(Value value) => value.KnownShape is { IsStatic: true, Rank: > 0 } shape ? Math.Max(1, shape[0].Size) : 1;
}
