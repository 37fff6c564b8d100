using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Unrolling;

namespace OnnxDistill.Graph.Passes;

/// <summary>Makes a graph straight: an If of a constant condition becomes its branch; a Loop or Scan of a constant number of turns becomes its body
/// that many times; sequences of tensors become the tensors. What depends on data stays, and <see cref="WhyNot"/> tells why.</summary>
public static class ControlFlow
{
    /// <summary>More nodes than this from one loop would be a graph that nobody can use.</summary>
    internal const int MostNodes = 100_000;

    private static readonly HashSet<string> Operators = new(StringComparer.Ordinal) { "If", "Loop", "Scan" };

    /// <summary>Straightens the model's main graph in place, at whatever opset from 9 on it is.</summary>
    /// <returns>Whether something changed.</returns>
    public static bool Unroll(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset < 9)
            return false;
        var unroller = new Unroller(model.Graph, model.Opset);
        var unrolled = unroller.Run();
        var resolved = new SequenceResolver(model.Graph, model.Opset).Run();
        return unrolled || resolved;
    }

    /// <summary>Whether the node is an If, a Loop or a Scan.</summary>
    public static bool Is(Node node) => node.Domain.Length == 0 && Operators.Contains(node.OpType);

    /// <summary>Why the node is not replaced by what it does, or null when it can be.</summary>
    public static string? WhyNot(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.OpType switch
        {
            "If" => Constants.Of(node.OptionalInput(0)) is null ? "its condition is not constant" : null,
            "Loop" => LoopPlan.Of(node).Refusal,
            "Scan" => ScanPlan.Of(node).Refusal,
            _ => null,
        };
    }
}
