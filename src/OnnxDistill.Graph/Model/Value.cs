namespace OnnxDistill.Graph.Model;

/// <summary>A named edge of a graph: what one node (or an input, or an initializer) produces and others consume.</summary>
public sealed class Value
{
    /// <summary>A value of that name; type and shape may be learnt later.</summary>
    public Value(string name, ElementType type = ElementType.Undefined, Shape? shape = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Name, Type, KnownShape) = (name, type, shape);
    }

    /// <summary>Unique within its graph.</summary>
    public string Name { get; set; }

    /// <summary>Element type, or <see cref="ElementType.Undefined"/> when not known.</summary>
    public ElementType Type { get; set; }

    /// <summary>For a sequence of tensors the element type of its tensors, while <see cref="Type"/> stays undefined; else undefined.</summary>
    public ElementType SequenceOf { get; set; }

    /// <summary>The shape, or null when not even the rank is known.</summary>
    public Shape? KnownShape { get; set; }

    /// <summary>The node that produces it, or null for graph inputs and initializers.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>The bytes of an initializer, or null for every other value.</summary>
    public TensorData? Constant { get; set; }

    /// <summary>The shape.</summary>
    /// <exception cref="InvalidOperationException">It is not known; the graph has to pass ModelNormalizer first.</exception>
    public Shape Shape => KnownShape ?? throw new InvalidOperationException(
        $"The shape of value '{Name}'{(Producer is null ? "" : $" (made by {Producer})")} is not known. Normalise the model first.");

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type}{KnownShape?.ToString() ?? "?"}";
}
