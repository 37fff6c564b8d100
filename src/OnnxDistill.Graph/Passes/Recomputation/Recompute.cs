using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Recomputation;

/// <summary>What a graph with gradients holds, and what repeating parts of the forward pass would make of it.</summary>
/// <param name="FullBytes">Most bytes of intermediate results alive at once when nothing is repeated.</param>
/// <param name="Bytes">The same with the repetitions.</param>
/// <param name="Nodes">Nodes that run a second time.</param>
/// <param name="ExtraWork">Work of those nodes as a share of the graph's, by a rough measure.</param>
public sealed record RecomputeReport(long FullBytes, long Bytes, int Nodes, double ExtraWork);

/// <summary>
/// Activation checkpointing (Chen et al. 2016, arXiv 1604.06174): keeps only some results of the forward pass and computes the others again, right
/// before the backward pass reads them. before: y = f(x), dx = g(dy, y) → after: y = f(x), y' = f(x), dx = g(dy, y').
/// </summary>
/// <remarks>The same operators run on the same numbers, so gradients are the same bits unless a runtime fuses the two runs differently. The runtime
/// must not merge equal nodes again, and has to run nodes in the graph's order.</remarks>
public static class Recompute
{
    private static readonly int[] Parts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

    /// <summary>Repeats as little work as brings the intermediate results under the budget; where nothing does, what needs the least memory.</summary>
    /// <param name="graph">Forward and backward in one graph, all shapes static; changed in place.</param>
    /// <param name="loss">The output that the forward pass makes; everything that it does not need is the backward pass.</param>
    /// <param name="budget">Bytes.</param>
    public static RecomputeReport Run(OnnxGraph graph, Value loss, long budget)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var pass = new ForwardPass(graph, loss);
        var full = RecomputePlan.Of(pass, static _ => true);
        var best = full;
        if (full.Live > budget)
            best = Candidates(pass).Append(full).OrderBy(p => Math.Max(p.Live, budget)).ThenBy(static p => p.Extra).First();
        var total = graph.Nodes.Sum(NodeWork.Of);
        var nodes = Apply(graph, best);
        return new RecomputeReport(full.Live, best.Live, nodes, best.Extra / total);
    }

    private static IEnumerable<RecomputePlan> Candidates(ForwardPass pass)
    {
        foreach (var crossing in Parts.Select(parts => pass.Crossing(pass.Cuts(parts))))
        {
            yield return RecomputePlan.Of(pass, v => crossing.Contains(v) || pass.IsSmall(v));
            yield return RecomputePlan.Of(pass, v => crossing.Contains(v) || pass.IsSmall(v) || NodeWork.IsProduct(v.Producer!));
        }
    }

    private static int Apply(OnnxGraph graph, RecomputePlan plan)
    {
        var names = new Building.GraphBuilder(graph);
        var copies = new Dictionary<Value, Value>();
        var nodes = new List<Node>(plan.Steps.Count);
        foreach (var step in plan.Steps)
        {
            var inputs = step.Node.Inputs.Select(v => v is not null && plan.Source(step, v).Repeated ? copies[v] : v).ToArray();
            if (!step.Repeated)
            {
                inputs.CopyTo(step.Node.Inputs, 0);
                nodes.Add(step.Node);
                continue;
            }
            using var scope = names.RootScope("again");
            var outputs = step.Node.Outputs.Select(o => o is null ? null : copies[o] = new Value(names.Reserve(o.Name), o.Type, o.KnownShape));
            nodes.Add(new Node(step.Node.OpType, inputs, outputs, step.Node.Attributes, names.Reserve(step.Node.Name.Length > 0 ? step.Node.Name : step.Node.OpType), step.Node.Domain));
        }
        var repeated = nodes.Count - graph.Nodes.Count;
        graph.Nodes.Clear();
        graph.Nodes.AddRange(nodes);
        DeadNodes.Remove(graph);
        return repeated;
    }
}
