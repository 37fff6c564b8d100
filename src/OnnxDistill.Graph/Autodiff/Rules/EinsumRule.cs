using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// Y = einsum over any number of operands: each operand's gradient is an einsum of dY with the other operands. Labels that occur in
/// that operand alone were summed out, so the gradient is repeated along them; where a label repeats inside it, only the diagonal took
/// part. Axes of extent 1 broadcast: they are left out of every product, so each label has one extent.
/// </summary>
internal sealed class EinsumRule : IGradientRule
{
    public string? Refuses(Node node) => EinsumEquation.Of(node).LabelCount > EinsumEquation.MostLabels
        ? $"an equation of more than {EinsumEquation.MostLabels} labels, those of the ellipsis included, is not supported" : null;

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var equation = EinsumEquation.Of(node);
        var result = Term.Of(g, context.OutputGradient, equation.Result);
        var operands = node.Inputs.Select((v, i) => Term.Of(g, v!, equation.Operands[i])).ToArray();
        return [.. operands.Select((operand, i) => Gradient(g, [result, .. operands.Where((_, j) => j != i)], operand.Labels, node.Input(i), equation.Operands[i]))];
    }

    private static Value Gradient(GraphBuilder g, Term[] factors, string labels, Value operand, string axes)
    {
        var reached = new string([.. labels.Distinct().Where(label => factors.Any(f => f.Labels.Contains(label)))]);
        var partial = Product(g, factors, reached);
        // Back to the operand's axes: the first axis of a label holds it; those of extent 1 and further ones of the label have extent 1.
        var extents = operand.Shape.Sizes();
        var first = axes.Select((label, axis) => extents[axis] > 1 && axes.IndexOf(label) == axis).ToArray();
        var spread = g.Reshape(partial, Shape.Of(axes.Select((label, axis) => first[axis] && reached.Contains(label) ? extents[axis] : 1)));
        for (var axis = 0; axis < axes.Length; axis++)
        {
            if (extents[axis] > 1 && !first[axis])
                spread = g.Mul(spread, Diagonal(g, axes.IndexOf(axes[axis]), axis, extents, operand.Type));
        }
        return g.Expand(spread, operand.Shape);
    }

    /// <summary>The product of all factors, summed over every label but those wanted (in that order).</summary>
    private static Value Product(GraphBuilder g, Term[] factors, string wanted)
    {
        // Single numbers stay outside: ONNX Runtime's Einsum takes no operand without labels.
        var labelled = factors.Where(static f => f.Labels.Length > 0).ToArray();
        Value? product = labelled.Length == 0 || (labelled is [var only] && only.Labels == wanted) ? null
            : g.Einsum($"{string.Join(',', labelled.Select(static f => f.Labels))}->{wanted}", [.. labelled.Select(static f => f.Value)]);
        product ??= labelled is [var alone] ? alone.Value : null;
        foreach (var factor in factors.Where(static f => f.Labels.Length == 0))
            product = product is null ? factor.Value : g.Mul(product, factor.Value);
        return product!;
    }

    /// <summary>The identity matrix over two axes of equal extent, broadcast over all others.</summary>
    private static Value Diagonal(GraphBuilder g, int row, int column, long[] extents, ElementType type)
    {
        var n = extents[row];
        var ones = new double[n * n];
        for (var i = 0L; i < n; i++)
            ones[i * (n + 1)] = 1;
        var eye = g.Cast(g.Constant(TensorData.Of(ones, n, n)), type);
        return g.Reshape(eye, Shape.Of(extents.Select((_, axis) => axis == row || axis == column ? n : 1)));
    }

    /// <summary>A factor and the labels of its axes, those of extent 1 dropped.</summary>
    private readonly record struct Term(Value Value, string Labels)
    {
        public static Term Of(GraphBuilder g, Value value, string labels)
        {
            var kept = Enumerable.Range(0, labels.Length).Where(axis => value.Shape[axis].Size != 1).ToArray();
            return new Term(g.Reshape(value, new Shape(kept.Select(axis => value.Shape[axis]))), new string([.. kept.Select(axis => labels[axis])]));
        }
    }
}
