using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>A pattern that ends in one node, and what is put in its place. Stateless; it changes no existing node.</summary>
public interface INodeRewrite
{
    /// <summary>Operators of the last node of the pattern.</summary>
    IReadOnlyList<string> Operators { get; }

    /// <summary>Looks at a node with one output.</summary>
    /// <param name="context">Emits new nodes, and knows who uses what.</param>
    /// <param name="node">The node.</param>
    /// <returns>A value of the same type, shape and numbers, or why the node stays.</returns>
    RewriteResult Apply(RewriteContext context, Node node);
}

/// <summary>What a rewrite says of a node.</summary>
/// <param name="Replacement">The value that stands for the node's output, or null when it stays.</param>
/// <param name="Reason">Why it stays.</param>
public readonly record struct RewriteResult(Value? Replacement, string Reason = "")
{
    /// <summary>The node stays.</summary>
    public static RewriteResult Keep(string reason) => new(null, reason);

    /// <summary>The value stands for the node's output.</summary>
    public static implicit operator RewriteResult(Value replacement) => new(replacement);
}
