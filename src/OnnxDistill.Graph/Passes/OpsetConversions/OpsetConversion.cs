namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>How nodes of one operator get their opset-18 form.</summary>
/// <param name="OpType">The operator.</param>
/// <param name="From">The first opset of a model in which the conversion applies.</param>
/// <param name="To">The last one.</param>
/// <param name="Apply">Keeps, replaces or refuses the node, exactly one of them.</param>
internal sealed record OpsetConversion(string OpType, int From, int To, Action<NodeRewriter> Apply)
{
    /// <summary>Whether the conversion does nothing but refuse.</summary>
    public bool OnlyRefuses { get; init; }
}
