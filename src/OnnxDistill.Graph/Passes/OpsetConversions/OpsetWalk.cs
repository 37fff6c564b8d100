using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Goes over a model's graphs node by node and applies the listed conversions.</summary>
internal sealed class OpsetWalk
{
    private readonly long _opset;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>A walk over that model.</summary>
    public OpsetWalk(OnnxModel model)
    {
        _opset = model.Opset;
        CollectNames(model.Graph);
    }

    /// <summary>Nodes that could not be converted, with the reason.</summary>
    public List<ConversionRefusal> Refusals { get; } = [];

    /// <summary>The graph at the inner opset, over the same values.</summary>
    public OnnxGraph Convert(OnnxGraph graph)
    {
        var result = new OnnxGraph { Name = graph.Name };
        result.Inputs.AddRange(graph.Inputs);
        result.Outputs.AddRange(graph.Outputs);
        result.Initializers.AddRange(graph.Initializers);
        foreach (var node in graph.Nodes)
        {
            Convert(WithConvertedSubgraphs(node), result);
        }
        return result;
    }

    /// <summary>Whether any node or graph output uses the value.</summary>
    public bool IsUsed(Value value) => _used.Contains(value.Name);

    /// <summary>A name that no value of the model has yet.</summary>
    public string UniqueName(string wanted)
    {
        var name = wanted;
        for (var i = 2; !_names.Add(name); i++)
            name = $"{wanted}_{i}";
        return name;
    }

    private void Convert(Node node, OnnxGraph result)
    {
        if ((node.Domain.Length == 0 ? ConversionList.Find(node.OpType, _opset) : MicrosoftOps.Find(node)) is { } conversion)
            Apply(conversion, new NodeRewriter(node, _opset, this, result));
        else if ((node.Domain.Length == 0 && StandardOps.Contains(node.OpType)) || StopGradientMarker.Is(node))
            result.Nodes.Add(node);
        else
            Refusals.Add(new ConversionRefusal(node, WhyUnknown(node), false));
    }

    private void Apply(OpsetConversion conversion, NodeRewriter rewriter)
    {
        try
        {
            conversion.Apply(rewriter);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The model types complain so of inputs, attributes or shapes that do not fit: the node is not a valid one of its kind.
            rewriter.Refuse($"it is malformed: {e.Message}");
        }
        if (rewriter.Refusal is { } reason)
            Refusals.Add(new ConversionRefusal(rewriter.Node, reason, rewriter.LacksShapes));
    }

    private static string WhyUnknown(Node node) => node.Domain.Length switch
    {
        0 => $"opset {OnnxModel.InnerOpset} has no such operator and no conversion to simpler ones is known",
        _ when node.Domain == MicrosoftOps.Domain => "no conversion of this operator of ONNX Runtime's own to standard ones is known",
        _ => $"the operator domain '{node.Domain}' is not ONNX's own, and the model has no function of that name",
    };

    private Node WithConvertedSubgraphs(Node node)
    {
        if (!node.Attributes.Any(static a => a.Value is OnnxGraph))
            return node;
        var attributes = node.Attributes.Select(a => (a.Key, a.Value is OnnxGraph graph ? Convert(graph) : (object?)a.Value));
        return new Node(node.OpType, node.Inputs, node.Outputs, new AttributeMap(attributes), node.Name, node.Domain);
    }

    private void CollectNames(OnnxGraph graph)
    {
        _names.UnionWith(graph.Inputs.Concat(graph.Initializers).Select(static v => v.Name));
        _used.UnionWith(graph.Outputs.Select(static v => v.Name));
        foreach (var node in graph.Nodes)
        {
            _names.UnionWith(node.Outputs.OfType<Value>().Select(static v => v.Name));
            _used.UnionWith(node.Inputs.OfType<Value>().Select(static v => v.Name));
            foreach (var (_, value) in node.Attributes)
            {
                if (value is OnnxGraph subgraph)
                    CollectNames(subgraph);
            }
        }
    }
}
