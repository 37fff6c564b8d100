using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Unrolling;

/// <summary>Values whose numbers are known.</summary>
internal static class Constants
{
    /// <summary>The tensor behind an initializer, a Constant node or an Identity of one, or null.</summary>
    public static TensorData? Of(Value? value) => value switch
    {
        null => null,
        { Constant: { } data } => data,
        { Producer: { Domain: "", OpType: "Identity" } node } => Of(node.Input(0)),
        { Producer: { Domain: "", OpType: "Constant" } node } => node.Attributes.Tensor("value")
            ?? (node.Attributes.Has("value_int") ? TensorData.Of([node.Attributes.Int("value_int", 0)], [])
                : node.Attributes.Ints("value_ints") is { } list ? TensorData.Of(list, list.Length) : null),
        _ => null,
    };

    /// <summary>The integer, or null.</summary>
    public static long? Integer(Value? value) =>
        Of(value) is { Type: ElementType.Int64 or ElementType.Int32, ElementCount: 1 } data ? data.ToLongs()[0] : null;

    /// <summary>The integers, or null.</summary>
    public static long[]? Integers(Value? value) => Of(value) is { Type: ElementType.Int64 or ElementType.Int32 } data ? data.ToLongs() : null;

    /// <summary>The truth value, or null.</summary>
    public static bool? Truth(Value? value) => Of(value) is { Type: ElementType.Bool, ElementCount: 1 } data ? data.As<bool>()[0] : null;
}
