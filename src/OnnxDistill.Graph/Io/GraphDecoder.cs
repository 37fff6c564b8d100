using System.Globalization;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Builds the object graph of one graph of the file: one <see cref="Value"/> for each name, nodes in topological order.</summary>
internal sealed class GraphDecoder
{
    private readonly GraphProto _proto;
    private readonly ReadContext _context;
    private readonly GraphDecoder? _outer;
    private readonly OnnxGraph _graph = new();
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _definitions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Value> _captured = new(StringComparer.Ordinal);

    private GraphDecoder(GraphProto proto, ReadContext context, GraphDecoder? outer) =>
        (_proto, _context, _outer) = (proto, context, outer);

    /// <summary>The graph; what is wrong with it is noted in the context, and the result is then not to be used.</summary>
    public static OnnxGraph Decode(GraphProto proto, ReadContext context) => new GraphDecoder(proto, context, null).Decode();

    private OnnxGraph Decode()
    {
        _graph.Name = _proto.Name;
        if (_proto.SparseInitializer.Count > 0)
            _context.Unsupported($"graph '{_proto.Name}' has {_proto.SparseInitializer.Count} sparse initializers");
        ReadInitializers();
        ReadInputs();
        for (var i = 0; i < _proto.Node.Count; i++)
            DefineOutputs(_proto.Node[i], i);
        ReadOutputs();
        foreach (var info in _proto.ValueInfo)
        {
            // Exporters leave value_info of values that an optimizer removed; that does no harm.
            if (_values.TryGetValue(info.Name, out var value))
                ValueTypes.Learn(value, info.Type);
        }
        ReadNodes();
        return _graph;
    }

    private void ReadInitializers()
    {
        foreach (var tensor in _proto.Initializer)
        {
            var data = TensorDecoder.Decode(tensor, $"initializer '{tensor.Name}'", _context);
            if (Define(tensor.Name, "an initializer") is not { } value)
                continue;
            (value.Type, value.KnownShape, value.Constant) = (data?.Type ?? ElementType.Undefined, data?.Shape, data);
            _graph.Initializers.Add(value);
        }
    }

    private void ReadInputs()
    {
        // Files of IR version 3 and before list every initializer as an input too.
        var initializers = _graph.Initializers.Select(v => v.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var info in _proto.Input.Where(i => !initializers.Contains(i.Name)))
        {
            if (Define(info.Name, "a graph input") is not { } value)
                continue;
            ValueTypes.Learn(value, info.Type);
            _graph.Inputs.Add(value);
        }
    }

    private void DefineOutputs(NodeProto node, int index)
    {
        foreach (var name in node.Output.Where(n => n.Length > 0))
            Define(name, $"an output of {Describe(node, index)}");
    }

    private void ReadOutputs()
    {
        foreach (var info in _proto.Output)
        {
            if (_values.TryGetValue(info.Name, out var value))
            {
                ValueTypes.Learn(value, info.Type);
                _graph.Outputs.Add(value);
            }
            else
            {
                _context.Damaged($"graph '{_proto.Name}' has the output '{info.Name}', which nothing in it produces");
            }
        }
    }

    private void ReadNodes()
    {
        var dependencies = NodeDependencies.Of(_proto);
        var order = TopologicalOrder.Sort(dependencies, out var onCycles);
        if (onCycles.Length > 0)
        {
            var members = string.Join(", ", onCycles.Select(i => Describe(_proto.Node[i], i)));
            _context.Damaged($"graph '{_proto.Name}' has a cycle through {members}");
        }
        // With a cycle the file's order serves: only to find what else is wrong.
        foreach (var i in order ?? [.. Enumerable.Range(0, _proto.Node.Count)])
            _graph.Nodes.Add(ReadNode(_proto.Node[i], Describe(_proto.Node[i], i)));
    }

    private Node ReadNode(NodeProto proto, string where)
    {
        if (proto.OpType.Length == 0)
            _context.Damaged($"{where} names no operator");
        if (proto.Overload.Length > 0)
            _context.Unsupported($"{where} calls the overload '{proto.Overload}' of a function");
        var attributes = AttributeDecoder.Decode(proto.Attribute, where, _context, g => new GraphDecoder(g, _context, this).Decode());
        return new Node(proto.OpType, proto.Input.Select(n => Use(n, where)), proto.Output.Select(n => _values.GetValueOrDefault(n)),
            attributes, proto.Name, proto.Domain);
    }

    private Value? Use(string name, string where)
    {
        if (name.Length == 0)
            return null;
        if (_values.TryGetValue(name, out var value) || _captured.TryGetValue(name, out value))
            return value;
        for (var scope = _outer; scope is not null; scope = scope._outer)
        {
            // A subgraph sees the values around it by name; the Value object is its own.
            if (scope._values.TryGetValue(name, out var seen))
                return _captured[name] = new Value(name, seen.Type, seen.KnownShape);
        }
        _context.Damaged($"{where} uses '{name}', which is no input, initializer or output of any node");
        return null;
    }

    private Value? Define(string name, string kind)
    {
        if (name.Length == 0)
        {
            _context.Damaged($"graph '{_proto.Name}' has {kind} without a name");
            return null;
        }
        if (!_definitions.TryAdd(name, kind))
        {
            _context.Damaged($"'{name}' is assigned twice: as {_definitions[name]} and as {kind}");
            return null;
        }
        return _values[name] = new Value(name);
    }

    private static string Describe(NodeProto node, int index) => node.Name.Length > 0
        ? $"node '{node.Name}' ({node.OpType})"
        : string.Create(CultureInfo.InvariantCulture, $"node {index} ({node.OpType}) -> '{node.Output.FirstOrDefault()}'");
}
