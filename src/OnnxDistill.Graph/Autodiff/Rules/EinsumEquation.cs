using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>An Einsum equation with one letter for each axis: spaces gone, the ellipsis spelt out, the result explicit.</summary>
/// <param name="Operands">The labels of each operand's axes.</param>
/// <param name="Result">The labels of the result's axes.</param>
internal sealed record EinsumEquation(string[] Operands, string Result)
{
    /// <summary>What the alphabet has; ONNX Runtime's own limit for labels that are written out.</summary>
    public const int MostLabels = 52;

    /// <summary>Number of different labels.</summary>
    public int LabelCount => Operands.SelectMany(static o => o).Distinct().Count();

    /// <summary>The equation of a node whose operands have known ranks.</summary>
    public static EinsumEquation Of(Node node)
    {
        var parts = node.Attributes.Text("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->");
        var terms = parts[0].Split(',').Select(static t => t.Replace("...", ".", StringComparison.Ordinal)).ToArray();
        var hidden = terms.Select((t, i) => t.Contains('.') ? node.Input(i).Shape.Rank - (t.Length - 1) : 0).ToArray();
        // Labels of the hidden axes: letters that nobody uses, then anything (an equation with too many is refused).
        var spare = string.Concat(Letters().Concat(Enumerable.Range(0x100, 64).Select(static c => (char)c)).Where(c => !parts[0].Contains(c)).Take(hidden.Max()));
        var operands = terms.Select((t, i) => t.Replace(".", Hidden(hidden[i]), StringComparison.Ordinal)).ToArray();
        // Without an arrow the result has the hidden axes, then every label that occurs once, in alphabetical order.
        var result = parts.Length == 2
            ? parts[1].Replace("...", spare, StringComparison.Ordinal)
            : spare + string.Concat(parts[0].Where(char.IsAsciiLetter).GroupBy(static c => c).Where(static c => c.Count() == 1).Select(static c => c.Key).Order());
        return new EinsumEquation(operands, result);

        // Hidden axes are aligned at the last one, as in broadcasting.
        string Hidden(int count) => spare[(spare.Length - count)..];
    }

    private static IEnumerable<char> Letters() => Enumerable.Range('a', 26).Concat(Enumerable.Range('A', 26)).Select(static c => (char)c);
}
