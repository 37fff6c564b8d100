using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Fused;

/// <summary>
/// The gradient of a chain of nodes in one piece: the same numbers as its nodes' rules one after the other, with fewer passes over memory.
/// Asked at the chain's last node; what it does not know goes to the rules. Inner values may have other uses: their gradients arrive on their own.
/// </summary>
internal interface IFusedGradient
{
    /// <summary>The operator of the chain's last node.</summary>
    string LastOperator { get; }

    /// <summary>Pairs of a value that the chain starts from and its gradient, or null when the node ends no such chain.</summary>
    IReadOnlyList<(Value Value, Value Gradient)>? TryApply(GradientContext context);
}

/// <summary>The list of all fused gradients.</summary>
internal static class FusedGradients
{
    private static readonly ILookup<string, IFusedGradient> ByLastOperator = new IFusedGradient[]
    {
        new AttentionGradient(),
        new GroupNormGradient(),
        new SiluGradient(),
    }.ToLookup(static f => f.LastOperator, StringComparer.Ordinal);

    /// <summary>What the first chain that ends in the node gives, or null when none does.</summary>
    public static IReadOnlyList<(Value Value, Value Gradient)>? TryApply(GradientContext context)
    {
        foreach (var fused in ByLastOperator[context.Node.QualifiedOp])
        {
            if (fused.TryApply(context) is { } gradients)
                return gradients;
        }
        return null;
    }
}
