using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff;

/// <summary>Which nodes of a graph can be differentiated: all that cannot are told at once, before anything starts.</summary>
/// <param name="Operators">How often each operator occurs, sorted by name.</param>
/// <param name="Missing">Nodes that cannot be differentiated, with the reason, in graph order.</param>
public sealed record CoverageReport(IReadOnlyDictionary<string, int> Operators, IReadOnlyList<CoverageReport.Gap> Missing)
{
    /// <summary>A node that cannot be differentiated.</summary>
    /// <param name="Node">The node.</param>
    /// <param name="Reason">Why not.</param>
    public readonly record struct Gap(Node Node, string Reason);

    /// <summary>Whether every node can be differentiated or lets nothing through by definition.</summary>
    public bool IsComplete => Missing.Count == 0;

    /// <summary>The report over nodes of a normalised graph.</summary>
    public static CoverageReport Of(IEnumerable<Node> nodes) =>
        Of(nodes, static node => GradientRules.Find(node) is { } rule ? rule.Refuses(node) : GradientRefusals.ReasonOf(node));

    /// <summary>The report over nodes, given why one that lets something through cannot be differentiated (null when it can).</summary>
    internal static CoverageReport Of(IEnumerable<Node> nodes, Func<Node, string?> reasonOf)
    {
        var operators = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var missing = new List<Gap>();
        foreach (var node in nodes)
        {
            operators[node.QualifiedOp] = operators.GetValueOrDefault(node.QualifiedOp) + 1;
            if (!GradientRules.IsNoGradient(node) && reasonOf(node) is { } reason)
                missing.Add(new Gap(node, reason));
        }
        return new CoverageReport(operators, missing);
    }

    /// <summary>Throws when a node cannot be differentiated.</summary>
    /// <exception cref="UnsupportedOpException">Names every such operator with its nodes.</exception>
    public void ThrowIfIncomplete()
    {
        if (!IsComplete)
            throw new UnsupportedOpException(Describe());
    }

    /// <summary>All gaps, one line an operator and reason.</summary>
    public string Describe()
    {
        const int shown = 5;
        var lines = Missing.GroupBy(g => (g.Node.QualifiedOp, g.Reason)).Select(group =>
            $"  {group.Key.QualifiedOp}: {group.Key.Reason}; {group.Count()} node(s): {string.Join(", ", group.Take(shown).Select(g => Name(g.Node)))}{(group.Count() > shown ? ", ..." : "")}");
        return $"{Missing.Count} node(s) of this graph cannot be differentiated:\n{string.Join('\n', lines)}\n"
            + "Export the model with other operators, or add a rule (README, table of operators).";
    }

    private static string Name(Node node) => $"'{(node.Name.Length > 0 ? node.Name : node.Outputs.OfType<Value>().FirstOrDefault()?.Name)}'";
}
