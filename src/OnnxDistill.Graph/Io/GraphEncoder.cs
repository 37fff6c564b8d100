using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Turns a graph into the file format's, leaving out the stop-gradient markers: whoever uses a marked value gets the value
/// itself.</summary>
internal sealed class GraphEncoder
{
    private readonly TensorEncoder _tensors;
    private readonly WriteOptions _options;
    private readonly Dictionary<string, string> _aliases;

    private GraphEncoder(TensorEncoder tensors, WriteOptions options, Dictionary<string, string> aliases) =>
        (_tensors, _options, _aliases) = (tensors, options, aliases);

    /// <summary>The graph in the file's format.</summary>
    public static GraphProto Encode(OnnxGraph graph, TensorEncoder tensors, WriteOptions options) =>
        new GraphEncoder(tensors, options, new(StringComparer.Ordinal)).Encode(graph);

    private GraphProto Encode(OnnxGraph graph)
    {
        var proto = new GraphProto { Name = graph.Name };
        proto.Input.AddRange(graph.Inputs.Select(ValueTypes.Describe));
        proto.Output.AddRange(graph.Outputs.Select(ValueTypes.Describe));
        proto.Initializer.AddRange(graph.Initializers.Select(_tensors.Initializer));
        var outputs = graph.Outputs.Select(v => v.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            if (!StopGradientMarker.Is(node))
                proto.Node.Add(Encode(node));
            else if (outputs.Contains(node.Output.Name))
                proto.Node.Add(Identity(node));
            else
                _aliases[node.Output.Name] = NameOf(node.Input(0));
        }
        if (_options.ValueInfo)
        {
            var between = graph.Nodes.Where(static n => !StopGradientMarker.Is(n)).SelectMany(static n => n.Outputs).OfType<Value>();
            var known = between.Where(v => v.Type != ElementType.Undefined && v.KnownShape is not null && !outputs.Contains(v.Name));
            proto.ValueInfo.AddRange(known.Select(ValueTypes.Describe));
        }
        return proto;
    }

    private NodeProto Encode(Node node)
    {
        var proto = new NodeProto { OpType = node.OpType };
        if (node.Name.Length > 0)
            proto.Name = node.Name;
        if (node.Domain.Length > 0)
            proto.Domain = node.Domain;
        proto.Input.AddRange(node.Inputs.Select(NameOf));
        proto.Output.AddRange(node.Outputs.Select(static v => v?.Name ?? ""));
        // A subgraph names values around it, marked ones among them; what it marks itself is unknown outside.
        proto.Attribute.AddRange(node.Attributes.Select(a => AttributeEncoder.Encode(a.Key, a.Value, _tensors,
            g => new GraphEncoder(_tensors, _options, new(_aliases, StringComparer.Ordinal)).Encode(g))));
        return proto;
    }

    private NodeProto Identity(Node node) =>
        new() { OpType = "Identity", Name = node.Name, Input = { NameOf(node.Input(0)) }, Output = { node.Output.Name } };

    private string NameOf(Value? value) => value is null ? "" : _aliases.GetValueOrDefault(value.Name, value.Name);
}
