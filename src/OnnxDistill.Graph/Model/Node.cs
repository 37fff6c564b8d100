namespace OnnxDistill.Graph.Model;

/// <summary>One operation: consumes values, produces values, carries attributes.</summary>
public sealed class Node
{
    /// <summary>A node whose outputs know it as their producer from then on.</summary>
    public Node(string opType, IEnumerable<Value?> inputs, IEnumerable<Value?> outputs, AttributeMap? attributes = null, string name = "",
        string domain = "")
    {
        OpType = opType;
        Inputs = [.. inputs];
        Outputs = [.. outputs];
        Attributes = attributes ?? AttributeMap.Empty;
        Name = name;
        Domain = domain == "ai.onnx" ? "" : domain;
        foreach (var output in Outputs)
            output?.Producer = this;
    }

    /// <summary>The operator, for instance <c>MatMul</c>.</summary>
    public string OpType { get; }

    /// <summary>The operator's domain; empty for standard ONNX.</summary>
    public string Domain { get; }

    /// <summary>Readable name, may be empty; unique names help readers and profilers.</summary>
    public string Name { get; set; }

    /// <summary>Inputs in the operator's order; null where an optional one is left out.</summary>
    public Value?[] Inputs { get; }

    /// <summary>Outputs in the operator's order; null where an optional one is left out.</summary>
    public Value?[] Outputs { get; }

    /// <summary>Attributes by name.</summary>
    public AttributeMap Attributes { get; }

    /// <summary>The one output of a single-output operator.</summary>
    public Value Output => Outputs[0] ?? throw new InvalidOperationException($"{this} has no first output.");

    /// <summary>An input that must be there.</summary>
    /// <exception cref="InvalidOperationException">The node has no such input.</exception>
    public Value Input(int index) => OptionalInput(index) ?? throw new InvalidOperationException($"{this} lacks its input {index}.");

    /// <summary>An input that may be left out.</summary>
    public Value? OptionalInput(int index) => index < Inputs.Length ? Inputs[index] : null;

    /// <summary>Domain and operator, as error messages and tables show it.</summary>
    public string QualifiedOp => Domain.Length == 0 ? OpType : $"{Domain}::{OpType}";

    /// <inheritdoc/>
    public override string ToString() => Name.Length > 0 ? $"{QualifiedOp} '{Name}'"
        : Outputs.Length > 0 && Outputs[0] is { } first ? $"{QualifiedOp} -> '{first.Name}'" : QualifiedOp;
}
