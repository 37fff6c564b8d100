using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Rewrites;

namespace OnnxDistill.Graph.Passes;

/// <summary>Walks a graph once, in order, and lets every rewrite look at every node; what a rewrite puts there is looked at again.</summary>
public sealed class NodeRewrites(IReadOnlyList<INodeRewrite> rewrites) : IGraphPass
{
    /// <summary>How often one place is rewritten in one walk; what is left then is found in the next.</summary>
    private const int MostSteps = 8;

    private readonly ILookup<string, INodeRewrite> _byOperator = rewrites.SelectMany(r => r.Operators, static (r, op) => (op, r)).ToLookup(p => p.op, p => p.r);

    /// <summary>Every rewrite, sorted by name: none relies on another to come first.</summary>
    public static IReadOnlyList<INodeRewrite> All { get; } =
    [
        new CastPair(),
        new ExpandIntoBroadcast(),
        new ExpandPair(),
        new IdentityRemoval(),
        new Negations(),
        new NeutralOperand(),
        new ReductionPair(),
        new ReshapeChain(),
        new TransposeIntoGemm(),
        new TransposePair(),
    ];

    /// <inheritdoc/>
    public string Name => "rewrites";

    /// <inheritdoc/>
    public int Run(OnnxGraph graph)
    {
        var context = new RewriteContext(graph);
        var substitution = new Substitution();
        var nodes = graph.Nodes.ToArray();
        graph.Nodes.Clear();
        var places = 0;
        foreach (var node in nodes)
        {
            substitution.Apply(node);
            var before = graph.Nodes.Count;
            if (Simplest(context, node) is not { } replacement || !context.MayStandFor(node.Output, replacement))
            {
                graph.Nodes.RemoveRange(before, graph.Nodes.Count - before);
                graph.Nodes.Add(node);
                continue;
            }
            substitution.Add(node.Output, replacement);
            context.TakeOver(node.Output, replacement);
            places++;
        }
        return places;
    }

    private Value? Simplest(RewriteContext context, Node node)
    {
        Value? found = null;
        for (var step = 0; step < MostSteps; step++)
        {
            if (Once(context, node) is not { } next)
                break;
            found = next;
            if (next.Producer is not { } made || !context.IsNew(made))
                break;
            node = made;
        }
        return found;
    }

    private Value? Once(RewriteContext context, Node node)
    {
        if (node.Domain.Length > 0 || node.Outputs is not [{ } output])
            return null;
        foreach (var rewrite in _byOperator[node.OpType])
        {
            using var scope = context.ScopeOf(node);
            if (rewrite.Apply(context, node).Replacement is not { } replacement)
                continue;
            if (replacement.Type != output.Type || !Equals(replacement.KnownShape, output.KnownShape))
                throw new InvalidOperationException($"{rewrite.GetType().Name} put {replacement} in the place of {output}.");
            return replacement;
        }
        return null;
    }
}
