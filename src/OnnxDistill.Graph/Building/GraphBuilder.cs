using System.Globalization;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

/// <summary>
/// Emits nodes at opset 18 in topological order: one method an operator, which also computes the type and shape of what it emits.
/// Names come from a path of scopes, because people read graphs in viewers and profilers.
/// </summary>
public sealed partial class GraphBuilder
{
    /// <summary>Path of the constants that formulas bring along: initializers under it are numbers, not weights.</summary>
    public const string ConstantPath = "const";

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _nameCounters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Value> _smallConstants = new(StringComparer.Ordinal);
    private string _path = "";

    /// <summary>A builder of an empty graph.</summary>
    public GraphBuilder(string name = "graph") => Graph = new OnnxGraph { Name = name };

    /// <summary>A builder that appends to an existing graph, for instance its gradients.</summary>
    public GraphBuilder(OnnxGraph graph)
    {
        Graph = graph;
        foreach (var value in graph.Inputs.Concat(graph.Initializers).Concat(graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>()))
            _names.Add(value.Name);
        // A node keeps its name when its value becomes an output of another name, and ONNX Runtime wants node names that differ too.
        _names.UnionWith(graph.Nodes.Select(static n => n.Name));
    }

    /// <summary>The graph so far.</summary>
    public OnnxGraph Graph { get; }

    /// <summary>Prefixes the names of everything emitted until the result is disposed.</summary>
    public Scope Scope(string name)
    {
        var outer = _path;
        _path = outer.Length == 0 ? name : $"{outer}/{name}";
        return new Scope(() => _path = outer);
    }

    /// <summary>Names everything under this path instead of the current one until the result is disposed.</summary>
    public Scope RootScope(string path)
    {
        var outer = _path;
        _path = path;
        return new Scope(() => _path = outer);
    }

    /// <summary>A graph input.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public Value Input(string name, ElementType type, Shape shape)
    {
        var value = new Value(Claim(name), type, shape);
        Graph.Inputs.Add(value);
        return value;
    }

    /// <summary>An initializer of exactly that name.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public Value Initializer(string name, TensorData data)
    {
        var value = new Value(Claim(name), data.Type, data.Shape) { Constant = data };
        Graph.Initializers.Add(value);
        return value;
    }

    /// <summary>A constant under the current scope; small ones that occur more than once are shared.</summary>
    public Value Constant(TensorData data)
    {
        if (data.ElementCount > 16)
            return Initializer(UniqueUnder(ConstantPath, $"{data.Type}{data.Shape}"), data);
        var key = $"{data.Type}{data.Shape}{Convert.ToHexString(data.Bytes)}";
        if (!_smallConstants.TryGetValue(key, out var value))
        {
            var text = data.ElementCount == 1 && data.Type.IsFloating()
                ? data.ToDoubles()[0].ToString("R", CultureInfo.InvariantCulture)
                : data.Type == ElementType.Int64 && data.ElementCount <= 4 ? string.Join('x', data.ToLongs()) : data.Type.ToString();
            _smallConstants[key] = value = Initializer(UniqueUnder(ConstantPath, text), data);
        }
        return value;
    }

    /// <summary>A rank-0 constant of a floating type.</summary>
    public Value Scalar(double value, ElementType type = ElementType.Float32) => Constant(TensorData.Scalar(value, type));

    /// <summary>A 1-D constant of int64, as axes and shapes are given.</summary>
    public Value Longs(params ReadOnlySpan<long> values) => Constant(TensorData.Of(values, values.Length));

    /// <summary>A constant filled with one number.</summary>
    public Value Full(Shape shape, double value, ElementType type = ElementType.Float32) =>
        shape.ElementCount == 1 && shape.Rank == 0 ? Scalar(value, type) : Expand(Scalar(value, type), shape);

    /// <summary>Declares a graph output under that name; the value is renamed when nobody has named it, otherwise passed through.</summary>
    /// <exception cref="ArgumentException">The name is taken by another value.</exception>
    public Value Output(string name, Value value)
    {
        if (value.Name != name)
        {
            if (value.Producer is null || Graph.Outputs.Contains(value))
                value = Identity(value);
            value.Name = Claim(name);
        }
        Graph.Outputs.Add(value);
        return value;
    }

    /// <summary>Emits a node with one output.</summary>
    public Value Emit(string op, ReadOnlySpan<Value?> inputs, ElementType type, Shape? shape, params IEnumerable<(string Name, object? Value)> attributes)
    {
        var name = Reserve(op);
        var output = new Value(name, type, shape);
        Graph.Nodes.Add(new Node(op, inputs.ToArray(), [output], new AttributeMap(attributes), name));
        return output;
    }

    /// <summary>Emits a node with several outputs, named after the operator with their index.</summary>
    public Value[] EmitMany(string op, ReadOnlySpan<Value?> inputs, IReadOnlyList<(ElementType Type, Shape? Shape)> outputs,
        params IEnumerable<(string Name, object? Value)> attributes)
    {
        var name = Reserve(op);
        var values = outputs.Select((o, i) => new Value(Claim(UniqueExact($"{name}:{i}")), o.Type, o.Shape)).ToArray();
        Graph.Nodes.Add(new Node(op, inputs.ToArray(), values, new AttributeMap(attributes), name));
        return values;
    }

    /// <summary>A name under the current scope that nobody has.</summary>
    internal string Unique(string name) => UniqueExact(_path.Length == 0 ? name : $"{_path}/{name}");

    /// <summary>Takes a name under the current scope that nobody has.</summary>
    internal string Reserve(string name) => Claim(Unique(name));

    private string UniqueUnder(string path, string name)
    {
        using (RootScope(path))
            return Unique(name);
    }

    private string UniqueExact(string name)
    {
        if (!_names.Contains(name))
            return name;
        for (var i = _nameCounters.GetValueOrDefault(name, 1); ; i++)
        {
            var candidate = $"{name}_{i.ToString(CultureInfo.InvariantCulture)}";
            if (!_names.Contains(candidate))
            {
                _nameCounters[name] = i + 1;
                return candidate;
            }
        }
    }

    private string Claim(string name) => _names.Add(name) ? name
        : throw new ArgumentException($"The graph '{Graph.Name}' already has a value named '{name}'.");
}

/// <summary>Part of the name path; disposing it goes back to the outer path.</summary>
public readonly struct Scope(Action leave) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => leave();
}
