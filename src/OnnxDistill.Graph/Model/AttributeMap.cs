using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace OnnxDistill.Graph.Model;

/// <summary>A node's attributes. A value is one of <see cref="long"/>, <see cref="float"/>, <see cref="string"/>, <c>long[]</c>,
/// <c>float[]</c>, <c>string[]</c>, <see cref="TensorData"/>, <see cref="OnnxGraph"/> or, inside a function body, <see cref="AttributeReference"/>.</summary>
public sealed class AttributeMap : IReadOnlyCollection<KeyValuePair<string, object>>
{
    private readonly SortedDictionary<string, object> _values = new(StringComparer.Ordinal);

    /// <summary>No attributes.</summary>
    public static AttributeMap Empty { get; } = new([]);

    /// <summary>These attributes; int and bool become long, double becomes float, a null value is left out.</summary>
    /// <exception cref="ArgumentException">A value has a type that ONNX attributes lack.</exception>
    public AttributeMap(params IEnumerable<(string Name, object? Value)> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            if (value is null)
                continue;
            _values[name] = value switch
            {
                int i => (long)i,
                bool b => b ? 1L : 0L,
                double d => (float)d,
                ElementType t => (long)t,
                int[] ints => Array.ConvertAll(ints, static i => (long)i),
                long or float or string or long[] or float[] or string[] or TensorData or OnnxGraph or AttributeReference => value,
                _ => throw new ArgumentException($"Attribute '{name}' has the unsupported type {value.GetType().Name}.", nameof(attributes)),
            };
        }
    }

    /// <inheritdoc/>
    public int Count => _values.Count;

    /// <summary>Whether the attribute is there.</summary>
    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>An integer attribute, or the operator's default.</summary>
    public long Int(string name, long defaultValue) => Get(name, out long value) ? value : defaultValue;

    /// <summary>A float attribute, or the operator's default.</summary>
    public float Float(string name, float defaultValue) => Get(name, out float value) ? value : defaultValue;

    /// <summary>A text attribute, or the operator's default.</summary>
    public string Text(string name, string defaultValue) => Get(name, out string? value) ? value : defaultValue;

    /// <summary>A list of integers, or null when left out.</summary>
    public long[]? Ints(string name) => Get(name, out long[]? value) ? value : null;

    /// <summary>A tensor attribute, or null when left out.</summary>
    public TensorData? Tensor(string name) => Get(name, out TensorData? value) ? value : null;

    /// <summary>The same attributes with one set (or removed, when null).</summary>
    public AttributeMap With(string name, object? value) =>
        new(_values.Where(p => p.Key != name).Select(p => (p.Key, (object?)p.Value)).Append((name, value)));

    private bool Get<T>(string name, [NotNullWhen(true)] out T? value)
    {
        value = default;
        if (!_values.TryGetValue(name, out var found))
            return false;
        value = found is T typed ? typed
            : throw new InvalidOperationException($"Attribute '{name}' is a {found.GetType().Name}, expected {typeof(T).Name}.");
        return true;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Inside a function body: the attribute takes its value from the calling node's attribute of this name.</summary>
/// <param name="Name">The calling node's attribute.</param>
/// <param name="Type">ONNX's attribute type number.</param>
public sealed record AttributeReference(string Name, int Type);
