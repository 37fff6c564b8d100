using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Inlining;

namespace OnnxDistill.Graph.Passes.Unrolling;

/// <summary>Replaces sequences of tensors by the tensors where it is known which these are. Sequences that stay are refused by the report of
/// missing rules.</summary>
internal sealed class SequenceResolver
{
    private readonly OnnxGraph _graph;
    private readonly OpsetForms _forms;
    private readonly Dictionary<Value, List<Value>> _sequences = [];

    /// <summary>A resolver for that graph, which is of that opset.</summary>
    public SequenceResolver(OnnxGraph graph, long opset)
    {
        _graph = graph;
        _forms = new OpsetForms(graph, new NameSource(graph), opset);
    }

    /// <summary>Replaces them in place.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Run()
    {
        var nodes = _graph.Nodes.ToList();
        if (!nodes.Exists(static n => n.Domain.Length == 0 && n.OpType.Contains("Sequence", StringComparison.Ordinal)))
            return false;
        _graph.Nodes.Clear();
        var makers = new List<Node>();
        var changed = false;
        foreach (var node in nodes)
        {
            if (node.Domain.Length == 0 && Elements(node) is { } elements)
            {
                _sequences[node.Output] = elements;
                makers.Add(node);
                _graph.Nodes.Add(node);
            }
            else if (node.Domain.Length == 0 && Consume(node))
            {
                changed = true;
            }
            else
            {
                _graph.Nodes.Add(node);
            }
        }
        // From behind: a sequence that only another unused one was made of is unused too.
        for (var i = makers.Count - 1; i >= 0; i--)
        {
            if (!IsUsed(makers[i].Output))
                changed |= _graph.Nodes.Remove(makers[i]);
        }
        return changed;
    }

    private bool IsUsed(Value value) => _graph.Outputs.Contains(value) || _graph.Nodes.Exists(n => Uses(n, value.Name));

    private static bool Uses(Node node, string name) => Array.Exists(node.Inputs, v => v?.Name == name)
        || node.Attributes.Select(static a => a.Value).OfType<OnnxGraph>().Any(g => g.Nodes.Exists(n => Uses(n, name)));

    /// <summary>The tensors of the sequence that the node makes, or null.</summary>
    private List<Value>? Elements(Node node)
    {
        List<Value>? Given() => node.OptionalInput(0) is { } value ? _sequences.GetValueOrDefault(value) : null;
        switch (node.OpType)
        {
            case "SequenceEmpty":
                return [];
            case "SequenceConstruct":
                return [.. node.Inputs.OfType<Value>()];
            case "Identity":
                return Given();
            case "SequenceInsert" when Given() is { } list:
                return Place(node, 2, list.Count, list.Count) is { } at ? [.. list[..at], node.Input(1), .. list[at..]] : null;
            case "SequenceErase" when Given() is { Count: > 0 } list:
                return Place(node, 1, list.Count - 1, list.Count) is { } gone ? [.. list[..gone], .. list[(gone + 1)..]] : null;
            case "SplitToSequence":
                return Split(node);
            default:
                return null;
        }
    }

    private List<Value>? Split(Node node)
    {
        var x = node.Input(0);
        if (x.KnownShape is not { } shape)
            return null;
        var axis = shape.Axis(node.Attributes.Int("axis", 0));
        var lengths = Constants.Of(node.OptionalInput(1)) is { Dims.Length: 1 } list ? list.ToLongs() : null;
        if (lengths is null)
        {
            var each = node.OptionalInput(1) is null ? 1 : Constants.Integer(node.Input(1));
            if (each is not > 0 || !shape[axis].IsKnown)
                return null;
            var size = shape[axis].Size;
            lengths = [.. Enumerable.Range(0, (int)((size + each.Value - 1) / each.Value)).Select(i => Math.Min(each.Value, size - (i * each.Value)))];
        }
        var parts = _forms.Split(x, axis, lengths, $"{node.Output.Name}/split");
        return node.OptionalInput(1) is null && node.Attributes.Int("keepdims", 1) == 0
            ? [.. parts.Select((p, i) => _forms.Squeeze(p, axis, $"{node.Output.Name}/{i}"))]
            : [.. parts];
    }

    /// <summary>Whether the node takes from a known sequence; it is then replaced.</summary>
    private bool Consume(Node node)
    {
        if (node.OptionalInput(0) is not { } value || !_sequences.TryGetValue(value, out var list))
            return false;
        switch (node.OpType)
        {
            case "SequenceAt" when Place(node, 1, null, list.Count) is { } at && at < list.Count:
                _forms.Same(list[at], node.Output);
                return true;
            case "SequenceLength":
                _forms.Same(_forms.Constant($"{node.Output.Name}/length", TensorData.Of([(long)list.Count], [])), node.Output);
                return true;
            case "ConcatFromSequence" when list.Count > 0:
                if (node.Attributes.Int("new_axis", 0) != 0)
                    _forms.Stack(list, node.Attributes.Int("axis", 0), node.Output);
                else
                    _forms.Join(list, node.Attributes.Int("axis", 0), node.Output);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The constant place that an input names, counted from the front; the standard one where it is left out.</summary>
    private static int? Place(Node node, int input, int? otherwise, int count) => node.OptionalInput(input) is null ? otherwise
        : Constants.Integer(node.Input(input)) is { } at && at >= -count && at <= count ? (int)(at < 0 ? at + count : at) : null;
}
