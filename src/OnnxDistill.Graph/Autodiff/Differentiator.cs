using OnnxDistill.Graph.Autodiff.Fused;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff;

/// <summary>
/// Reverse-mode differentiation of a graph: finds what lies between the wanted values and the seeds, walks it backwards, applies a
/// rule a node (or one rule a chain of nodes, where that is cheaper), sums a gradient back to its value's shape where broadcasting had widened it, and adds up where a value is used twice.
/// </summary>
public static class Differentiator
{
    /// <summary>The gradients of a scalar with respect to values, appended to the builder's graph.</summary>
    /// <param name="builder">Owns the graph of <paramref name="scalar"/>; every shape on the path must be static.</param>
    /// <param name="scalar">A value with one element.</param>
    /// <param name="wanted">Values to differentiate with respect to.</param>
    /// <param name="target">Where the gradient will run.</param>
    /// <returns>One gradient for each wanted value, null where the scalar does not depend on it.</returns>
    /// <exception cref="UnsupportedOpException">Operators on the path have no rule; all are named.</exception>
    public static IReadOnlyList<Value?> Gradients(GraphBuilder builder, Value scalar, IReadOnlyList<Value> wanted,
        GradientTarget target = GradientTarget.Cpu)
    {
        if (scalar.Shape.ElementCount != 1 || !scalar.Type.IsFloating())
            throw new ArgumentException($"Only a floating-point value with one element can be differentiated, found {scalar}.", nameof(scalar));
        using (builder.RootScope("grad"))
            return VectorJacobian(builder, [(scalar, builder.Full(scalar.Shape, 1, scalar.Type))], wanted, target);
    }

    /// <summary>The vector-Jacobian product: for outputs y with cotangents c, the gradient of sum(c * y) with respect to values.</summary>
    /// <inheritdoc cref="Gradients"/>
    public static IReadOnlyList<Value?> VectorJacobian(GraphBuilder builder, IReadOnlyList<(Value Output, Value Cotangent)> seeds,
        IReadOnlyList<Value> wanted, GradientTarget target = GradientTarget.Cpu)
    {
        foreach (var (output, cotangent) in seeds)
        {
            if (!output.Shape.Equals(cotangent.Shape) || output.Type != cotangent.Type)
                throw new ArgumentException($"The cotangent {cotangent} does not fit the output {output}.", nameof(seeds));
        }
        var path = Path(builder.Graph, [.. seeds.Select(s => s.Output)], wanted);
        CoverageReport.Of(path).ThrowIfIncomplete();

        var arrived = new Dictionary<Value, List<Value>>();
        foreach (var (output, cotangent) in seeds)
            Collect(arrived, output, cotangent);
        var useful = path.SelectMany(n => n.Outputs).OfType<Value>().Concat(wanted).ToHashSet();
        for (var i = path.Count - 1; i >= 0; i--)
            Step(builder, path[i], arrived, useful, target);
        return [.. wanted.Select(w => Total(builder, arrived, w))];
    }

    /// <summary>The nodes, in order, that depend on a wanted value and that a seed depends on, through which something can flow.</summary>
    internal static List<Node> Path(OnnxGraph graph, IReadOnlyList<Value> seeds, IReadOnlyList<Value> wanted)
    {
        var dependent = wanted.ToHashSet();
        var forward = new List<Node>();
        foreach (var node in graph.Nodes)
        {
            if (GradientRules.IsNoGradient(node) || !node.Inputs.Any(v => v is not null && dependent.Contains(v)))
                continue;
            forward.Add(node);
            // What is no tensor (a sequence, an optional) has no element type: it may carry tensors on, and must not end the path unseen.
            dependent.UnionWith(node.Outputs.OfType<Value>().Where(v => v.Type.IsFloating() || v.Type == ElementType.Undefined || GradientRefusals.CarriesOn(node)));
        }
        var needed = seeds.ToHashSet();
        var path = new List<Node>();
        for (var i = forward.Count - 1; i >= 0; i--)
        {
            if (!forward[i].Outputs.Any(v => v is not null && needed.Contains(v)))
                continue;
            path.Add(forward[i]);
            needed.UnionWith(forward[i].Inputs.OfType<Value>().Where(dependent.Contains));
        }
        path.Reverse();
        return path;
    }

    private static void Step(GraphBuilder builder, Node node, Dictionary<Value, List<Value>> arrived, HashSet<Value> useful, GradientTarget target)
    {
        using var scope = builder.RootScope($"grad/{(node.Name.Length > 0 ? node.Name : node.Outputs[0]!.Name)}");
        var outputGradients = node.Outputs.Select(o => o is null ? null : Total(builder, arrived, o)).ToArray();
        if (Array.TrueForAll(outputGradients, static g => g is null))
            return;
        var context = new GradientContext(builder, node, outputGradients, target);
        foreach (var (value, gradient) in FusedGradients.TryApply(context) ?? ByRule(context))
        {
            if (useful.Contains(value))
                Collect(arrived, value, builder.SumTo(gradient, value.Shape));
        }
    }

    private static IEnumerable<(Value Value, Value Gradient)> ByRule(GradientContext context)
    {
        var node = context.Node;
        var gradients = GradientRules.Find(node)!.Apply(context); // the coverage report has seen to it that there is one
        if (gradients.Count != node.Inputs.Length)
            throw new InvalidOperationException($"The rule of {node.OpType} returned {gradients.Count} gradients for {node.Inputs.Length} inputs of {node}.");
        return node.Inputs.Zip(gradients).Where(static p => p is { First: not null, Second: not null }).Select(static p => (p.First!, p.Second!));
    }

    private static void Collect(Dictionary<Value, List<Value>> arrived, Value value, Value gradient)
    {
        if (!arrived.TryGetValue(value, out var list))
            arrived[value] = list = [];
        list.Add(gradient);
    }

    private static Value? Total(GraphBuilder builder, Dictionary<Value, List<Value>> arrived, Value value)
    {
        if (!arrived.TryGetValue(value, out var list))
            return null;
        if (list.Count > 1)
        {
            var sum = list.Count == 2 ? builder.Add(list[0], list[1]) : builder.Sum([.. list]);
            list.Clear();
            list.Add(sum);
        }
        return list[0];
    }
}
