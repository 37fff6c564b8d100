using System.Globalization;
using System.Text;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>
/// before: a = op(x), b = op(x) → after: one of them. Same domain, operator, attributes, inputs and outputs in use; the two operands of a
/// commutative operator may be swapped (float addition and multiplication commute exactly). Never nodes that draw random numbers, and never an
/// output, whose name has to stay. A StopGradient marker is equal to another marker of the same value, never to the value.
/// </summary>
public sealed class CommonSubexpressions : IGraphPass
{
    private static readonly HashSet<string> Random = new(StringComparer.Ordinal)
    {
        "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
    };

    private static readonly HashSet<string> Commutative = new(StringComparer.Ordinal) { "Add", "And", "Equal", "Max", "Min", "Mul", "Or", "Sum", "Xor" };

    /// <inheritdoc/>
    public string Name => "common subexpressions";

    /// <inheritdoc/>
    public int Run(OnnxGraph graph)
    {
        var outputs = graph.Outputs.ToHashSet();
        var substitution = new Substitution();
        var numbers = new Dictionary<Value, int>();
        var seen = new Dictionary<string, Node>(StringComparer.Ordinal);
        var kept = new List<Node>(graph.Nodes.Count);
        foreach (var node in graph.Nodes)
        {
            substitution.Apply(node);
            if (Key(node, numbers) is not { } key || seen.TryAdd(key, node) || node.Outputs.Any(o => o is not null && outputs.Contains(o)))
            {
                kept.Add(node);
                continue;
            }
            foreach (var (output, same) in node.Outputs.Zip(seen[key].Outputs))
            {
                if (output is not null)
                    substitution.Add(output, same!); // the key says which outputs are there
            }
        }
        var removed = graph.Nodes.Count - kept.Count;
        graph.Nodes.Clear();
        graph.Nodes.AddRange(kept);
        return removed;
    }

    /// <summary>Whether two runs of the node may differ: operators that draw random numbers, and those of other domains, which may do anything.</summary>
    internal static bool DrawsNumbers(Node node) => node.Domain.Length == 0 ? Random.Contains(node.OpType) : !StopGradientMarker.Is(node);

    private static string? Key(Node node, Dictionary<Value, int> numbers)
    {
        if (DrawsNumbers(node))
            return null;
        var text = new StringBuilder(node.Domain).Append('|').Append(node.OpType).Append('|');
        // An input left out at the end and one that is not written at all are the same.
        var inputs = new int[Array.FindLastIndex(node.Inputs, static i => i is not null) + 1];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = node.Inputs[i] is { } value ? Number(value, numbers) : -1;
        // Three operands in another order are summed in another order, which rounds differently.
        if (inputs.Length == 2 && node.Domain.Length == 0 && Commutative.Contains(node.OpType))
            inputs.AsSpan().Sort();
        text.AppendJoin(',', inputs).Append('|').AppendJoin(',', node.Outputs.Select(static o => o is null ? 0 : 1));
        foreach (var (name, value) in node.Attributes)
        {
            if (Text(value) is not { } attribute)
                return null;
            text.Append('|').Append(name).Append('=').Append(attribute);
        }
        return text.ToString();
    }

    private static int Number(Value value, Dictionary<Value, int> numbers)
    {
        if (!numbers.TryGetValue(value, out var number))
            numbers[value] = number = numbers.Count;
        return number;
    }

    // The length of a text goes first, so that no text can pose as the attributes that follow it.
    private static string? Text(object value) => value switch
    {
        long i => i.ToString(CultureInfo.InvariantCulture),
        float f => BitConverter.SingleToInt32Bits(f).ToString(CultureInfo.InvariantCulture),
        string s => string.Create(CultureInfo.InvariantCulture, $"{s.Length}:{s}"),
        long[] ints => $"[{string.Join(',', ints)}]",
        float[] floats => $"[{string.Join(',', floats.Select(BitConverter.SingleToInt32Bits))}]",
        TensorData { Strings: null, ElementCount: <= 64 } tensor => $"{tensor.Type}{tensor.Shape}{Convert.ToBase64String(tensor.Bytes)}",
        _ => null,
    };
}
