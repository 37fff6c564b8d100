using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// Y = einsum over one or two operands: each operand's gradient is an einsum of dY with the other one; labels that occur in that
/// operand alone were summed out, so the gradient is repeated along them.
/// </summary>
internal sealed class EinsumRule : IGradientRule
{
    public string? Refuses(Node node)
    {
        if (node.Inputs.Length > 2)
            return "more than two operands are not supported yet";
        var (terms, _) = Parse(node);
        return terms.Any(t => t.Contains('.')) ? "an ellipsis is not supported yet"
            : terms.Any(t => t.Distinct().Count() != t.Length) ? "a label that repeats inside one operand is not supported yet" : null;
    }

    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (terms, result) = Parse(context.Node);
        var gradients = new Value?[terms.Length];
        for (var i = 0; i < terms.Length; i++)
        {
            var other = terms.Length == 2 ? terms[1 - i] : "";
            var operand = context.Node.Input(i);
            var reached = new string([.. terms[i].Where(label => result.Contains(label) || other.Contains(label))]);
            var partial = terms.Length == 2
                ? context.Builder.Einsum($"{result},{other}->{reached}", context.OutputGradient, context.Node.Input(1 - i))
                : context.Builder.Einsum($"{result}->{reached}", context.OutputGradient);
            var kept = new Shape(terms[i].Select((label, axis) => reached.Contains(label) ? operand.Shape[axis] : 1));
            gradients[i] = context.Builder.Expand(context.Builder.Reshape(partial, kept), operand.Shape);
        }
        return gradients;
    }

    private static (string[] Terms, string Result) Parse(Node node)
    {
        var equation = node.Attributes.Text("equation", "").Replace(" ", "", StringComparison.Ordinal);
        var parts = equation.Split("->");
        // Without an arrow the result has every label that occurs once, in alphabetical order.
        var result = parts.Length == 2 ? parts[1]
            : new string([.. parts[0].Where(char.IsLetter).GroupBy(c => c).Where(c => c.Count() == 1).Select(c => c.Key).Order()]);
        return (parts[0].Split(','), result);
    }
}
